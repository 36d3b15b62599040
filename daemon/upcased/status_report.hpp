// status_report: the line that `systemctl status` shows.
//
// It is told of every change and passes on at most one a second; a daemon in
// which nothing changes says nothing, and has no timer running to find out.

#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>
#include <upcase/doorbell.hpp>
#include <upcase/server.hpp>

#include "service_manager.hpp"

namespace upcased {

/// Belongs to the thread that runs `context`, except where it says otherwise.
class status_report {
 public:
  static constexpr std::chrono::seconds shortest_interval{1};

  /// Throws std::system_error where descriptors are missing.
  status_report(boost::asio::io_context& context, const service_manager& manager)
      : manager_(manager), timer_(context), bell_(context, [this] { send_when_due(); }) {}

  /// Tells of `server`, which outlives the last call of `changed`.
  void start(const upcase::server& server);
  void stop();

  /// The counts may be others by now. Any thread.
  void changed() noexcept;

  /// What else there is to say, until it is called again. It is sent at once, so that
  /// whoever is told afterwards that a reload has ended finds it.
  void remark(std::string text);

 private:
  void send_when_due() noexcept;
  void send() noexcept;

  const service_manager& manager_;
  const upcase::server* server_ = nullptr;  // none: not started, or stopped
  boost::asio::steady_timer timer_;
  upcase::doorbell bell_;
  std::atomic<bool> pending_ = false;  // `changed` has been called since the last look
  std::chrono::steady_clock::time_point sent_;
  std::string remark_;
  std::string line_;
};

/// "3 clients, 120 served, 4 refused; accepting paused: why; and the remark".
std::string format_status(const upcase::server::counts& counts, const std::string& remark);

}  // namespace upcased
