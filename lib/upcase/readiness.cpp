// readiness: the epoll set and its one wait.

#include <upcase/readiness.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <sys/epoll.h>
#include <system_error>
#include <utility>

namespace upcase {
namespace {

namespace asio = boost::asio;

constexpr std::size_t batch = 256;

// While many were ready, more will be by the time they are served: the set is
// asked again at once, which saves the way through Asio and back. Timers and
// new clients get their turn after so many batches at the latest.
constexpr int many = 8;
constexpr int most_batches = 8;

int make_set() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
  return set;
}

}  // namespace

readiness::readiness(asio::io_context& context, std::function<void()> before_turn)
    : set_(context, make_set()), before_turn_(std::move(before_turn)) {
  wait();
}

void readiness::add(int fd, std::uint32_t events, ready_target& target) {
  epoll_event interest{.events = events, .data = {.ptr = &target}};
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, fd, &interest) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

void readiness::change(int fd, std::uint32_t events, ready_target& target) noexcept {
  // Changing a member needs no memory; it cannot fail for one that was added.
  epoll_event interest{.events = events, .data = {.ptr = &target}};
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_MOD, fd, &interest);
}

void readiness::remove(int fd) noexcept {
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
}

void readiness::stop() { set_.close(); }

void readiness::wait() {
  set_.async_wait(asio::posix::stream_descriptor::wait_read,
                  [this](const boost::system::error_code& error) {
                    if (!error) {
                      turn();
                    }
                  });
}

// One batch of those that are ready; how many they were.
int readiness::serve_ready() {
  std::array<epoll_event, batch> events;  // NOLINT(*-member-init): epoll_wait fills it
  const int count =
      ::epoll_wait(set_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  before_turn_();
  for (const epoll_event& event :
       std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
    static_cast<ready_target*>(event.data.ptr)->ready(event.events);
  }
  return count;
}

void readiness::turn() {
  for (int batches = 0; batches < most_batches && serve_ready() >= many; ++batches) {
  }
  // Asking again reports at once if members are still ready.
  if (set_.is_open()) {
    wait();
  }
}

}  // namespace upcase
