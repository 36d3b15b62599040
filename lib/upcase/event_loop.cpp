// event_loop: the one timer for all deadlines.

#include <upcase/event_loop.hpp>

namespace upcase {

event_loop::event_loop(boost::asio::io_context& context, stream_timeouts timeouts)
    : timeouts_(timeouts),
      buffer_(std::make_unique<shared_buffer>()),
      timer_(context),
      ready_(context, [this] { update_now(); }) {}

void event_loop::set_deadline(deadline& d, duration after) {
  if (after == duration::zero()) {
    deadline_queue::clear(d);
  } else if (deadlines_.set(d, now_ + after)) {
    wait_for_deadline();
  }
}

void event_loop::wait_for_deadline() {
  const auto next = deadlines_.next();
  if (!next) {
    return;
  }
  timer_.expires_at(*next);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      update_now();
      deadlines_.expire(now_);
      wait_for_deadline();
    }
  });
}

void event_loop::stop() {
  timer_.cancel();
  ready_.stop();
}

}  // namespace upcase
