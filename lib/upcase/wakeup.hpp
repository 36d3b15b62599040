// wakeup: what wakes an event loop besides its clients: a bell, which other
// threads ring, and an alarm, which is set to a time.
//
// Either is a descriptor in the loop's set (eventfd(2), timerfd_create(2)) and
// is never read: watched by edges, each ring or time tells once (epoll(7)). That
// it came is only noted, and asked for when the batch of ready clients is
// served: what follows from it may end clients that stand in that batch.

#pragma once

#include <chrono>
#include <cstdint>
#include <upcase/file_descriptor.hpp>
#include <upcase/readiness.hpp>
#include <utility>

namespace upcase {

/// Belongs to the loop's thread.
class wakeup : public ready_target {
 public:
  wakeup(const wakeup&) = delete;
  wakeup& operator=(const wakeup&) = delete;

  /// Whether it came since it was last asked.
  [[nodiscard]] bool came() noexcept { return std::exchange(came_, false); }

 protected:
  /// Throws std::system_error where the kernel has no room for it.
  wakeup(readiness& set, file_descriptor fd);
  ~wakeup() { set_.remove(fd_.get()); }

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  void ready(std::uint32_t /*events*/) override { came_ = true; }

  readiness& set_;
  file_descriptor fd_;
  bool came_ = false;
};

class bell final : public wakeup {
 public:
  /// Throws std::system_error where descriptors are missing.
  explicit bell(readiness& set);

  /// Any thread. Cannot fail; rings that come before anybody looks are one.
  void ring() const noexcept;
};

class alarm final : public wakeup {
 public:
  /// Throws std::system_error where descriptors are missing.
  explicit alarm(readiness& set);

  /// It comes at that time, at once if that is past. The last one set counts.
  void set(std::chrono::steady_clock::time_point when) const noexcept;
};

}  // namespace upcase
