// event_set: thin over epoll.

#include "event_set.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include "client.hpp"

namespace bench {
namespace {

void control(int set, int operation, int fd, std::uint32_t events, std::uint64_t name) {
  epoll_event interest{.events = events, .data = {.u64 = name}};
  if (::epoll_ctl(set, operation, fd, &interest) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

}  // namespace

event_set::event_set() : set_(::epoll_create1(EPOLL_CLOEXEC)) {}

void event_set::add(int fd, std::uint32_t events, std::uint64_t name) {
  control(set_.get(), EPOLL_CTL_ADD, fd, events, name);
}

void event_set::change(int fd, std::uint32_t events, std::uint64_t name) {
  control(set_.get(), EPOLL_CTL_MOD, fd, events, name);
}

std::span<const epoll_event> event_set::wait() {
  const int limit = static_cast<int>(std::chrono::milliseconds(patience).count());
  const int count =
      ::epoll_wait(set_.get(), events_.data(), static_cast<int>(events_.size()), limit);
  if (count < 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_wait");
  }
  if (count == 0) {
    throw std::runtime_error("the server fell silent");
  }
  return std::span(events_).first(static_cast<std::size_t>(count));
}

std::span<const epoll_event> event_set::wait_until(std::chrono::steady_clock::time_point when) {
  // A sleep so short would end late: the kernel's timers are coarser (prctl(2),
  // PR_SET_TIMERSLACK).
  constexpr std::chrono::microseconds shortest_sleep{100};
  const auto left = when - std::chrono::steady_clock::now() - shortest_sleep;
  const timespec sleep{.tv_sec = 0, .tv_nsec = std::clamp<long>(left.count(), 0, 999'999'999)};
  const int count =
      ::epoll_pwait2(set_.get(), events_.data(), static_cast<int>(events_.size()), &sleep, nullptr);
  if (count < 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_pwait2");
  }
  return std::span(events_).first(static_cast<std::size_t>(count));
}

}  // namespace bench
