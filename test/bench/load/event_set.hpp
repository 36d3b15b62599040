// event_set: the generator's epoll(7) set. A run in which nothing happens any
// more is given up.

#pragma once

#include <array>
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

 private:
  upcase::file_descriptor set_;
  std::array<epoll_event, 1024> events_{};
};

}  // namespace bench
