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

namespace upcase {

struct listen_error : std::runtime_error {
  listen_error(bool running, const std::string& sentence)
      : std::runtime_error(sentence), already_running(running) {}
  bool already_running;  ///< another daemon serves there
};

/// Listens on `path` for as long as it lives; then removes the file, unless
/// another one stands there by now.
class listener {
 public:
  /// Binds (replacing a socket file that nobody serves, and nothing else) with
  /// mode `mode` from the first moment, and listens. Changes the process's
  /// umask for a moment: call it while there is one thread. Throws
  /// listen_error.
  listener(std::filesystem::path path, mode_t mode, int backlog);
  /// Goes on with a socket that a predecessor has bound to `path`: clients that
  /// wait in its backlog stay there. Mode and backlog become those given.
  listener(file_descriptor inherited, std::filesystem::path path, mode_t mode, int backlog);
  listener(listener&&) = delete;
  listener& operator=(listener&&) = delete;
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener();

  /// Leaves the files alone: the socket lives on elsewhere.
  void leave_files() noexcept { owns_files_ = false; }

  /// Hands out the listening socket, non-blocking; what is left here is the
  /// care for the files.
  [[nodiscard]] file_descriptor take_socket() noexcept { return std::move(socket_); }

 private:
  void listen(int backlog);

  std::filesystem::path path_;
  std::filesystem::path lock_path_;
  file_descriptor lock_;  // held for the listener's life
  file_descriptor socket_;
  bool owns_files_ = true;
  dev_t device_ = 0;  // of the file that we bound
  ino_t inode_ = 0;
};

}  // namespace upcase
