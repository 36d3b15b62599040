// deadlines: the points in time by which clients must have moved.
//
// A deadline moves with every message, and most never come. So moving one
// only stores the new time; its place in the queue is looked at again when the
// old time comes. A timer a client, armed anew for every message, would cost
// more than the message.

#pragma once

#include <boost/intrusive/set.hpp>
#include <chrono>
#include <optional>

namespace upcase {

using steady_time = std::chrono::steady_clock::time_point;

/// A deadline, part of the object that it is about. Leaves its queue when it
/// is destroyed.
class deadline : public boost::intrusive::set_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>,
                     boost::intrusive::optimize_size<true>> {
 public:
  friend bool operator<(const deadline& a, const deadline& b) noexcept {
    return a.looked_at_ < b.looked_at_;
  }

 protected:
  deadline() = default;
  ~deadline() = default;
  deadline(const deadline&) = delete;
  deadline& operator=(const deadline&) = delete;

 private:
  friend class deadline_queue;
  static constexpr steady_time never = steady_time::max();

  /// The time has come. May move or clear this deadline, and may destroy it.
  virtual void expired(steady_time now) = 0;

  steady_time due_ = never;        // when it counts
  steady_time looked_at_ = never;  // its place in the queue: not after due_
};

/// All deadlines of one event loop. Pure: the caller brings the time.
class deadline_queue {
 public:
  /// Sets or moves `d`. True if it is now the first to be looked at, so that
  /// the caller's timer must be set anew.
  bool set(deadline& d, steady_time when);

  /// `d` will not expire. It costs nothing: its place is cleared when reached.
  static void clear(deadline& d) noexcept { d.due_ = deadline::never; }

  /// When `expire` has something to look at; nothing if there is nothing.
  [[nodiscard]] std::optional<steady_time> next() const noexcept;

  /// Tells every deadline that is due.
  void expire(steady_time now);

 private:
  boost::intrusive::multiset<deadline, boost::intrusive::constant_time_size<false>> queue_;
};

}  // namespace upcase
