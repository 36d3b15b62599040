// running_server: an upcase::server in the test's own process and thread.

#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <upcase/listener.hpp>
#include <upcase/log.hpp>
#include <upcase/server.hpp>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace test {

/// Keeps the lines.
class memory_log final : public upcase::log {
 public:
  [[nodiscard]] std::string lines() const;

 private:
  void do_write(upcase::log_level level, upcase::event what, upcase::log_fields fields) override;

  mutable std::mutex mutex_;
  std::string lines_;
};

/// The defaults, but for room for many clients, and kernel credentials, so that
/// those need no files.
upcase::settings roomy();

/// Stopped at once by the destructor.
class running_server {
 public:
  explicit running_server(const upcase::settings& config = roomy(), std::size_t threads = 1,
                          upcase::handler serve = upcase::uppercase_session);
  running_server(const running_server&) = delete;
  running_server& operator=(const running_server&) = delete;
  ~running_server();

  upcase::server& operator*() noexcept { return *server_; }
  upcase::server* operator->() noexcept { return server_.get(); }
  [[nodiscard]] std::string log() const { return journal_.lines(); }
  [[nodiscard]] std::filesystem::path path() const { return place_.path() / "s"; }

  /// A client that has just connected.
  [[nodiscard]] upcase::file_descriptor connect() const;

  /// Lets it work for so long.
  void run(std::chrono::nanoseconds time) { context_.run_for(time); }
  /// Lets it work until `condition` holds; false if it does not within `limit`.
  bool run_until(const std::function<bool()>& condition,
                 std::chrono::nanoseconds limit = patience_left());
  /// Exactly so many bytes, while it works.
  std::string receive(int client, std::size_t count);

  /// Sends until neither the kernel nor the server takes more; what that was.
  std::string fill(int client);

  /// Every client, taken out of its session.
  upcase::cargo hand_over();

 private:
  temporary_directory place_;
  memory_log journal_;
  boost::asio::io_context context_{1};
  upcase::listener listener_;
  std::unique_ptr<upcase::server> server_;
};

}  // namespace test
