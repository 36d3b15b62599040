// client_socket: the client's side, a socket with a file of its own.
//
// The file is the client's credential: it is made by bind(2) with mode 0700
// already in place (the umask, not a later chmod, which would leave a gap),
// under a random name (nobody can be there first), and it is never renamed,
// since the server looks for it under the name that the kernel recorded.
//
// That name must be the absolute path, through which bind(2) goes; whether the
// file was made in the directory that was opened before is looked at afterwards.

#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <upcase/client_file.hpp>
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
  connect_error(kind reason, const std::string& sentence, int code = 0)
      : std::runtime_error(sentence), why(reason), error(code) {}
  kind why;
  int error;  ///< errno; 0 where we refuse ourselves
};

/// A stream socket bound to a file of its own, which the destructor removes if
/// the server has not done so. Binding and connecting are two steps, so that a
/// program can arrange for the file's removal on signals in between.
class client_socket {
 public:
  /// Binds in `client_directory`, unless there is nothing at `server` or others
  /// may remove files in that directory. Changes the process's umask for a
  /// moment: call it while there is one thread. Throws connect_error.
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

  /// The socket file's path.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// The same file, to be removed by others, such as a signal handler; of use
  /// only as long as this object lives.
  [[nodiscard]] const client_file& file() const noexcept { return file_; }

  /// Whether the socket file is still there. A server removes it when it takes
  /// the client in, if it may, and perhaps a moment after its first answer; so one
  /// that has closed the connection with the file still there has most likely
  /// refused, unless one of the next two says otherwise.
  [[nodiscard]] bool has_file() const noexcept { return file_.is_there(); }

  /// Of a connection that the server has ended: whether it may still read what
  /// it was sent. upcased ends newcomers so while it stops.
  [[nodiscard]] bool is_half_closed() const noexcept;

  /// Whether a server is there now. Asked of the kernel, by a connect(2) of the
  /// wrong type, which disturbs no server and starts none.
  [[nodiscard]] bool server_is_there() const noexcept;

  /// Who listens: the process that called listen(2). With socket activation
  /// that is systemd, and so root.
  [[nodiscard]] peer server() const noexcept;

 private:
  void make_file(const std::filesystem::path& directory);

  std::filesystem::path server_;
  std::string path_;
  file_descriptor socket_;
  file_descriptor directory_;
  client_file file_;
};

}  // namespace upcase
