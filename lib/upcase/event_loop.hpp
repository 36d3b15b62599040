// event_loop: what all clients on one thread share.
//
// The epoll set, the clock of the current turn, the deadlines with their one
// timer, and one buffer: a client's bytes are in it only between a read and
// the write that follows without any wait in between, so thousands of clients
// need no more than one, and it stays in the processor's cache.

#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <upcase/deadlines.hpp>
#include <upcase/readiness.hpp>
#include <upcase/setting_values.hpp>

namespace upcase {

/// How long a client may do nothing; 0 is for ever.
struct stream_timeouts {
  duration idle = duration::zero();   ///< no byte either way
  duration write = duration::zero();  ///< no byte of its output taken
};

/// Belongs to one thread, the one that runs `context`.
class event_loop {
 public:
  /// 4 KiB cost two to four times the processor time in bulk, 256 KiB gain
  /// nothing and leave the second-level cache.
  static constexpr std::size_t buffer_size = std::size_t{64} * 1024;

  event_loop(boost::asio::io_context& context, stream_timeouts timeouts);

  [[nodiscard]] readiness& ready_set() noexcept { return ready_; }

  /// Its content lasts until the coroutine that read into it waits.
  [[nodiscard]] std::span<char> buffer() noexcept { return buffer_->bytes; }

  /// The time at which this turn began.
  [[nodiscard]] steady_time now() const noexcept { return now_; }
  void update_now() noexcept { now_ = std::chrono::steady_clock::now(); }

  [[nodiscard]] const stream_timeouts& timeouts() const noexcept { return timeouts_; }
  void set_timeouts(stream_timeouts timeouts) noexcept { timeouts_ = timeouts; }

  /// `after` from now; 0 clears it.
  void set_deadline(deadline& d, duration after);

  /// Lets `context.run()` return once nothing else is to do.
  void stop();

 private:
  // From where a page begins, the kernel copies fastest.
  struct alignas(4096) shared_buffer {
    std::array<char, buffer_size> bytes;
  };

  void wait_for_deadline();

  steady_time now_ = std::chrono::steady_clock::now();
  stream_timeouts timeouts_;
  std::unique_ptr<shared_buffer> buffer_;
  deadline_queue deadlines_;
  boost::asio::steady_timer timer_;
  readiness ready_;
};

}  // namespace upcase
