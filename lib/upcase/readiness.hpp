// readiness: which members of an event loop have something to do.
//
// One level-triggered epoll(7) set holds all clients of a loop, and the loop's
// thread sleeps in it: a client that is waited for costs nothing until it is
// ready, and one call finds all that are. Asio does not stand in between. Its
// public interface offers a wait that is armed anew for every message, or a
// recv that is tried in vain; even this set as a whole, watched as one
// descriptor, costs a lone client five system calls a round trip, not three.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/epoll.h>
#include <upcase/file_descriptor.hpp>

namespace upcase {

/// Something that waits for its descriptor.
class ready_target {
 public:
  /// `events` as in epoll_ctl(2). May destroy this object, but no other one
  /// in the set: their readiness may be next in the same batch.
  virtual void ready(std::uint32_t events) = 0;

 protected:
  ready_target() = default;
  ~ready_target() = default;
  ready_target(const ready_target&) = delete;
  ready_target& operator=(const ready_target&) = delete;
};

/// Belongs to one event loop and its thread.
class readiness {
 public:
  /// Throws std::system_error where descriptors are missing.
  readiness();

  /// Adds `fd`, until it is removed. Throws std::system_error where the kernel
  /// has no room for it.
  void add(int fd, std::uint32_t events, ready_target& target);

  /// Changes what `fd` waits for.
  void change(int fd, std::uint32_t events, ready_target& target) noexcept;

  /// Takes `fd` out, before it is closed. Closing alone does so only if there is
  /// no other copy of it (epoll(7)), and a child has one from its fork until
  /// its exec is through, when its parent runs again already.
  void remove(int fd) noexcept;

  /// Whether to sleep until somebody is ready.
  enum class patience : bool { none, endless };

  /// Those that are ready, a batch of them at most; more are found by the next
  /// call. None also where a signal came. Valid until the next call.
  [[nodiscard]] std::span<const epoll_event> wait(patience how) noexcept;

  /// Tells the one whose event this is.
  static void tell(const epoll_event& event) {
    static_cast<ready_target*>(event.data.ptr)->ready(event.events);
  }

 private:
  static constexpr std::size_t batch = 256;

  file_descriptor set_;
  std::array<epoll_event, batch> events_{};
};

}  // namespace upcase
