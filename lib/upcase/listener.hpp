// listener: the daemon's own listening socket in the file system.
//
// A socket file outlives its daemon, so an existing one must be told from a
// living one. Two daemons that look at the same time must not both win, so the
// looking is done under a lock file; a daemon that was killed leaves lock and
// socket behind, and the kernel has released the one and refuses the other.

#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/types.h>
#include <upcase/file_descriptor.hpp>
#include <utility>
#include <vector>

namespace upcase {

struct listen_error : std::runtime_error {
  listen_error(bool running, const std::string& sentence)
      : std::runtime_error(sentence), already_running(running) {}

  /// Another daemon serves `path`.
  static listen_error running(const std::filesystem::path& path);

  bool already_running;  ///< another daemon serves there
};

/// Listens on `path` for as long as it lives; then removes the file, unless
/// another one stands there by now, or may, since the lock could not be had.
class listener {
 public:
  /// Binds (replacing a socket file that nobody serves, and nothing else) with
  /// mode `mode` from the first moment, and listens. Changes the process's
  /// umask for a moment: call it while there is one thread. Throws
  /// listen_error.
  listener(std::filesystem::path path, mode_t mode, int backlog);
  /// Goes on with a socket that a predecessor has bound to `path`, and with its
  /// lock, if it is that: clients that wait in the backlog stay there.
  listener(file_descriptor inherited, file_descriptor lock, std::filesystem::path path);
  listener(listener&&) = delete;
  listener& operator=(listener&&) = delete;
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener();

  /// Gives an inherited socket this mode and backlog, and takes the lock where
  /// none was inherited. Whatever of that cannot be done is returned, a sentence
  /// each: no reason to close a socket that clients have connected to.
  [[nodiscard]] std::vector<std::string> renew(mode_t mode, int backlog);

  /// Leaves the files alone: the socket lives on elsewhere.
  void leave_files() noexcept { owns_socket_ = owns_lock_ = false; }
  /// Leaves what stands at the path alone: it is somebody else's by now.
  void leave_socket() noexcept { owns_socket_ = false; }

  /// Hands out the listening socket, non-blocking; what is left here is the
  /// care for the files.
  [[nodiscard]] file_descriptor take_socket() noexcept { return std::move(socket_); }

  /// The lock on it, which belongs to whoever has the descriptor (flock(2)); -1:
  /// it could not be taken.
  [[nodiscard]] int lock() const noexcept { return lock_.get(); }

 private:
  void listen(int backlog);
  bool find_file() noexcept;

  std::filesystem::path path_;
  std::filesystem::path lock_path_;
  file_descriptor lock_;  // held for the listener's life, and across exec(2)
  file_descriptor socket_;
  bool owns_socket_ = true;
  bool owns_lock_ = true;
  dev_t device_ = 0;  // of the file that we bound
  ino_t inode_ = 0;
};

}  // namespace upcase
