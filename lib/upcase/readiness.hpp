// readiness: how an event loop learns which clients have something to do.
//
// One level-triggered epoll(7) set holds all clients of a loop, and Asio
// watches that set as the one descriptor it is (an epoll set polls as readable
// while a member is ready). Through Asio's public interface alone every read
// costs either an epoll_ctl to re-arm the wait or one futile recv; here a
// client that is waited for costs nothing until it is ready, and a turn of the
// loop serves all that are.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>

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
  /// `before_turn` is called once before each batch of targets.
  readiness(boost::asio::io_context& context, std::function<void()> before_turn);

  /// Adds `fd`, until it is removed. Throws std::system_error where the kernel
  /// has no room for it.
  void add(int fd, std::uint32_t events, ready_target& target);

  /// Changes what `fd` waits for.
  void change(int fd, std::uint32_t events, ready_target& target) noexcept;

  /// Takes `fd` out, before it is closed. Closing alone does so only if there is
  /// no other copy of it (epoll(7)), and a child has one from its fork until
  /// its exec is through, when its parent runs again already.
  void remove(int fd) noexcept;

  /// Lets the loop's `run` return once nothing else is to do.
  void stop();

 private:
  void wait();
  void turn();
  int serve_ready();

  boost::asio::posix::stream_descriptor set_;
  std::function<void()> before_turn_;
};

}  // namespace upcase
