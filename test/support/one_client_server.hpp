// one_client_server: a server that does with its only client what a test says.

#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <upcase/file_descriptor.hpp>

#include "support/temporary_directory.hpp"

namespace test {

/// Listens at once; takes one client in, on a thread of its own.
class one_client_server {
 public:
  /// Gets the connection and the path of the client's file. When it returns, the
  /// connection is closed, if it is still there.
  using behaviour =
      std::function<void(upcase::file_descriptor connection, const std::filesystem::path& file)>;

  explicit one_client_server(behaviour act);
  one_client_server(const one_client_server&) = delete;
  one_client_server& operator=(const one_client_server&) = delete;
  /// Waits until the behaviour has returned; a client that never came is not
  /// waited for.
  ~one_client_server();

  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return place_.path(); }
  [[nodiscard]] std::filesystem::path socket() const { return directory() / "upcased.sock"; }
  [[nodiscard]] std::filesystem::path clients() const { return directory() / "clients"; }

  /// Nobody listens any more. For the behaviour, too.
  void close_listener();

 private:
  void serve();

  temporary_directory place_;
  behaviour act_;
  std::mutex mutex_;  // for listening_, once the thread runs
  upcase::file_descriptor listening_;
  std::thread thread_;
};

}  // namespace test
