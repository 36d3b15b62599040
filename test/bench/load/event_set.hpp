// event_set: the generator's epoll(7) set. A run in which nothing happens any
// more is given up.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/epoll.h>
#include <upcase/file_descriptor.hpp>

namespace bench {

class event_set {
 public:
  event_set();

  void add(int fd, std::uint32_t events, std::uint64_t name);
  void change(int fd, std::uint32_t events, std::uint64_t name);

  /// At least one event; its name is in data.u64. Throws if nothing comes.
  [[nodiscard]] std::span<const epoll_event> wait();

  /// The events until `when`; perhaps none. Exact to a microsecond.
  [[nodiscard]] std::span<const epoll_event> wait_until(std::chrono::steady_clock::time_point when);

 private:
  upcase::file_descriptor set_;
  std::array<epoll_event, 1024> events_{};
};

}  // namespace bench
