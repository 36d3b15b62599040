// event_loop: what all clients on one thread share, and that thread's sleep.
//
// The epoll set, the clock of the current turn, the deadlines with their one
// alarm, and one buffer: a client's bytes are in it only between a read and
// the write that follows without any wait in between, so thousands of clients
// need no more than one, and it stays in the processor's cache.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <upcase/deadlines.hpp>
#include <upcase/mailbox.hpp>
#include <upcase/readiness.hpp>
#include <upcase/setting_values.hpp>
#include <upcase/spin_budget.hpp>
#include <upcase/unread_output.hpp>
#include <upcase/wakeup.hpp>
#include <utility>

namespace upcase {

/// How long a client may do nothing; 0 is for ever.
struct stream_timeouts {
  duration idle = duration::zero();   ///< no byte either way
  duration write = duration::zero();  ///< no byte of its output taken
};

/// Belongs to one thread, the one that runs it; others may `post` and `stop`.
class event_loop {
 public:
  /// 4 KiB cost two to four times the processor time in bulk, 256 KiB gain
  /// nothing and leave the second-level cache.
  static constexpr std::size_t buffer_size = std::size_t{64} * 1024;

  /// `spare_descriptors`, if any, says how many more the process can open by now,
  /// as if each other loop were just receiving as many as a message can bring; it
  /// outlives the loop. Throws std::system_error where descriptors are missing.
  explicit event_loop(stream_timeouts timeouts,
                      const std::atomic<std::ptrdiff_t>* spare_descriptors = nullptr);

  /// Serves until `stop`. Before each sleep it looks for work again and again for
  /// `busy_poll`, which uses up a processor for so long in every pause; 0 sleeps at
  /// once, and `std::nullopt` spins on a budget (see spin_budget.hpp).
  void run(std::optional<duration> busy_poll);

  /// Lets `run` return, now or as soon as it is called.
  void stop() noexcept;

  /// Serves those that are ready, and does what is due and what was posted;
  /// whether that was anything.
  bool turn(readiness::patience how);

  /// Calls `job`, which may be move-only, on the loop's thread. Throws
  /// std::bad_alloc, and then `job` is gone.
  template <typename Job>
  void post(Job job) {
    posted_.post(std::move(job));
  }

  /// The same with a job of the caller's, which cannot fail.
  void post(mailbox::standing_job& job) noexcept { posted_.post(job); }

  [[nodiscard]] readiness& ready_set() noexcept { return ready_; }

  /// Its content lasts until the coroutine that read into it waits.
  [[nodiscard]] std::span<char> buffer() noexcept { return buffer_->bytes; }

  [[nodiscard]] unread_output& unread() noexcept { return unread_; }

  /// The time at which this turn began.
  [[nodiscard]] steady_time now() const noexcept { return now_; }

  [[nodiscard]] const stream_timeouts& timeouts() const noexcept { return timeouts_; }
  void set_timeouts(stream_timeouts timeouts) noexcept { timeouts_ = timeouts; }

  /// Whether all descriptors that a message can bring would find a place.
  [[nodiscard]] bool has_room_for_descriptors() const noexcept;

  /// `after` from now; 0 clears it.
  void set_deadline(deadline& d, duration after);

 private:
  // From where a page begins, the kernel copies fastest.
  struct alignas(4096) shared_buffer {
    std::array<char, buffer_size> bytes;
  };

  void spin_for(duration time);
  void spin_while_it_pays();
  void wait_for_deadline();

  steady_time now_ = std::chrono::steady_clock::now();
  spin_budget spins_{now_};
  stream_timeouts timeouts_;
  const std::atomic<std::ptrdiff_t>* spare_descriptors_;
  std::unique_ptr<shared_buffer> buffer_;
  deadline_queue deadlines_;
  unread_output unread_;
  readiness ready_;
  alarm alarm_;
  mailbox posted_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace upcase
