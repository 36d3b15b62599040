// wakeup: eventfd(2) and timerfd_create(2).

#include <upcase/wakeup.hpp>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <system_error>
#include <unistd.h>

namespace upcase {

wakeup::wakeup(readiness& set, int fd, const char* call) : set_(set), fd_(fd) {
  if (!fd_) {
    throw std::system_error(errno, std::generic_category(), call);
  }
  set_.add(fd_.get(), EPOLLIN, *this);
}

void wakeup::ready(std::uint32_t /*events*/) {
  std::uint64_t times = 0;
  came_ = ::read(fd_.get(), &times, sizeof times) == sizeof times || came_;
}

bell::bell(readiness& set) : wakeup(set, ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd") {}

void bell::ring() const noexcept {
  // Fails only when the count is full, and then it rings already.
  ::eventfd_write(fd(), 1);
}

alarm::alarm(readiness& set)
    : wakeup(set, ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create") {
}

void alarm::set(std::chrono::steady_clock::time_point when) const noexcept {
  using namespace std::chrono;
  // The clock is CLOCK_MONOTONIC in this library too. Zero would disarm.
  const nanoseconds at = std::max(when.time_since_epoch(), nanoseconds(1));
  const auto whole = duration_cast<seconds>(at);
  const itimerspec once{.it_interval = {},
                        .it_value = {.tv_sec = whole.count(), .tv_nsec = (at - whole).count()}};
  ::timerfd_settime(fd(), TFD_TIMER_ABSTIME, &once, nullptr);
}

}  // namespace upcase
