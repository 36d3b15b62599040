// heartbeat: proof, at intervals, that every loop of the daemon comes round.
//
// A watchdog that is fed by a thread of its own, or by a timer that fires in
// one healthy loop, proves that the thread or the timer lives. Here every event
// loop and the loop that accepts must have answered before a beat is given, and
// while one of them does not, there is none.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <upcase/server.hpp>

namespace upcased {

/// Belongs to the thread that runs `context`.
class heartbeat {
 public:
  heartbeat(boost::asio::io_context& context, upcase::server& server)
      : server_(server), timer_(context) {}

  /// Calls `beat` every `period`, from now on, in place of any earlier ones.
  void start(std::chrono::microseconds period, std::function<void()> beat);
  void stop();

 private:
  void ask();
  void wait();

  upcase::server& server_;
  boost::asio::steady_timer timer_;
  std::chrono::microseconds period_{};
  std::function<void()> beat_;
  bool asked_ = false;  // and not yet answered
};

}  // namespace upcased
