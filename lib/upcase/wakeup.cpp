// wakeup: eventfd(2) and timerfd_create(2).

#include <upcase/wakeup.hpp>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <sys/timerfd.h>
#include <system_error>
#include <upcase/system_calls.hpp>

namespace upcase {

namespace {

file_descriptor make_timerfd() {
  file_descriptor result(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!result) {
    throw std::system_error(errno, std::generic_category(), "timerfd_create");
  }
  return result;
}

}  // namespace

wakeup::wakeup(readiness& set, file_descriptor fd) : set_(set), fd_(std::move(fd)) {
  set_.add(fd_.get(), EPOLLIN | EPOLLET, *this);
}

bell::bell(readiness& set) : wakeup(set, make_eventfd()) {}

void bell::ring() const noexcept { upcase::ring(fd()); }

alarm::alarm(readiness& set) : wakeup(set, make_timerfd()) {}

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
