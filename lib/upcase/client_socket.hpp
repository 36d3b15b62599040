// client_socket: the client's side, a socket with a file of its own.
//
// The file is the client's credential: it is made by bind(2) with mode 0700
// already in place (the umask, not a later chmod, which would leave a gap),
// under a random name (nobody can be there first), and it is never renamed,
// since the server looks for it under the name that the kernel recorded.

#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <upcase/file_descriptor.hpp>
#include <upcase/peer.hpp>

namespace upcase {

/// Why no connection came about; `what()` is one sentence for people.
struct connect_error : std::runtime_error {
  enum class kind {
    no_daemon,         ///< nobody listens there
    forbidden,         ///< the permissions of the socket, or of its directory
    client_directory,  ///< the socket file cannot be made
    timed_out,         ///< the daemon's backlog stayed full
    system,            ///< anything else the system refused
  };
  connect_error(kind reason, const std::string& sentence)
      : std::runtime_error(sentence), why(reason) {}
  kind why;
};

/// A stream socket bound to a file of its own, which the destructor removes if
/// the server has not done so. Binding and connecting are two steps, so that a
/// program can arrange for the file's removal on signals in between.
class client_socket {
 public:
  /// Binds in `client_directory`, unless there is nothing at `server`. Changes
  /// the process's umask for a moment: call it while there is one thread.
  /// Throws connect_error.
  client_socket(std::filesystem::path server, const std::filesystem::path& client_directory);
  client_socket(client_socket&&) = delete;
  client_socket& operator=(client_socket&&) = delete;
  client_socket(const client_socket&) = delete;
  client_socket& operator=(const client_socket&) = delete;
  ~client_socket();

  /// Waits while the daemon's backlog is full, so long at most (0: for ever).
  /// Throws connect_error.
  void connect(std::chrono::nanoseconds timeout = std::chrono::nanoseconds(0));

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }

  /// The socket file; its characters stay where they are for the object's
  /// life, so that a signal handler may unlink(2) it.
  [[nodiscard]] const char* path() const noexcept { return path_.c_str(); }

  /// Whether the socket file is still there. A server removes it when it takes
  /// the client in, if it may; so one that has closed the connection with the
  /// file still there has most likely refused.
  [[nodiscard]] bool has_file() const noexcept;

  /// Who listens: the process that called listen(2). With socket activation
  /// that is systemd, and so root.
  [[nodiscard]] peer server() const noexcept;

 private:
  std::filesystem::path server_;
  std::string path_;
  file_descriptor socket_;
};

}  // namespace upcase
