// readiness: epoll_ctl(2) and epoll_wait(2).

#include <upcase/readiness.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace upcase {

readiness::readiness() : set_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!set_) {
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
}

void readiness::add(int fd, std::uint32_t events, ready_target& target) {
  epoll_event interest{.events = events, .data = {.ptr = &target}};
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &interest) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

void readiness::change(int fd, std::uint32_t events, ready_target& target) noexcept {
  // Changing a member needs no memory; it cannot fail for one that was added.
  epoll_event interest{.events = events, .data = {.ptr = &target}};
  ::epoll_ctl(set_.get(), EPOLL_CTL_MOD, fd, &interest);
}

void readiness::remove(int fd) noexcept { ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<const epoll_event> readiness::wait(patience how) noexcept {
  const int count = ::epoll_wait(set_.get(), events_.data(), static_cast<int>(events_.size()),
                                 how == patience::endless ? -1 : 0);
  return std::span(events_).first(static_cast<std::size_t>(std::max(count, 0)));
}

}  // namespace upcase
