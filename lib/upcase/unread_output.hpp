// unread_output: how many of the bytes that were sent to a client it has not
// read yet.
//
// A Unix socket calls itself writable when three quarters of its buffer are
// free, and SIOCOUTQ counts whole buffers of the kernel, of up to 36 KiB, until
// their last byte is read. So neither tells a client that reads slowly from one
// that does not read. What lies unread at the other end, to the byte, is told
// by sock_diag(7), to anybody.
//
// It knows the sockets of its own network namespace, and has to search them
// all. So it is asked only when a client is about to be ended, and not more
// often than a loop can afford.

#pragma once

#include <cstdint>
#include <upcase/deadlines.hpp>
#include <upcase/setting_values.hpp>

namespace upcase {

/// Belongs to one event loop and its thread.
class unread_output {
 public:
  /// Finds out, the first time in a process, whether sock_diag tells, for which the
  /// kernel may have to load a module: not to be made while clients are served.
  unread_output() noexcept;

  /// Whether the peer of `socket` has read all; costs next to nothing.
  [[nodiscard]] static bool none(int socket) noexcept;

  /// How long to wait before `count` may be called: 0, or the time until a turn
  /// that is given to nobody else.
  [[nodiscard]] duration wait(steady_time now) noexcept;

  /// The bytes that the peer of `socket`, a connected Unix stream socket, has
  /// not read. Where sock_diag does not tell (a kernel before Linux 6.9 or one
  /// that was built without it, a sandbox that forbids AF_NETLINK, a client from
  /// another network namespace, a shortage of descriptors) it is SIOCOUTQ's number:
  /// it falls with each buffer of the kernel that was read to its end.
  [[nodiscard]] std::uint64_t count(int socket) noexcept;

 private:
  // Of a loop's time, at most one part in so many and one goes into counting.
  static constexpr int rarity = 16;

  duration pause_ = duration::zero();  // after one count, until the next
  steady_time free_;                   // when that is over
  steady_time booked_;                 // the last turn that was given away
};

}  // namespace upcase
