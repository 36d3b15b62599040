// interruption: a system call of this thread does not linger.
//
// close(2) of a socket with SO_LINGER waits until its bytes are sent, for as
// long as its owner chose, but not while a signal is pending. So the thread is
// sent one every few milliseconds. A file system that waits uninterruptibly, as
// FUSE and NFS may, is not impressed.

#pragma once

#include <csignal>
#include <ctime>

namespace upcase {

/// While it lives, the thread that made it gets a SIGURG every 5 ms. What that
/// does by default is nothing; where the process has left it at that, or ignores
/// it, a handler that does nothing takes its place, once and for good, since an
/// ignored signal interrupts nothing. Where no timer can be had, it has no effect.
class interruption {
 public:
  interruption() noexcept;
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;
  ~interruption();

 private:
  timer_t timer_{};
  bool armed_ = false;
  sigset_t previous_mask_{};
};

}  // namespace upcase
