// heartbeat: ask, be answered, beat, wait, ask again.

#include "heartbeat.hpp"

#include <utility>

namespace upcased {

void heartbeat::start(std::chrono::microseconds period, std::function<void()> beat) {
  period_ = period;
  beat_ = std::move(beat);
  timer_.cancel();
  ask();
}

void heartbeat::stop() {
  beat_ = nullptr;
  timer_.cancel();
}

void heartbeat::ask() {
  if (std::exchange(asked_, true)) {
    return;
  }
  server_.ping([this] {
    asked_ = false;
    if (beat_) {
      beat_();
      wait();
    }
  });
}

void heartbeat::wait() {
  timer_.expires_after(period_);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) {
      ask();
    }
  });
}

}  // namespace upcased
