// descriptor_closer: closes descriptors where it may block and hurts nobody.
//
// Who drops the last reference to an open file waits for what its close does,
// and a client may have sent any: a TCP socket that lingers, a file of a file
// system that does not answer. Its own socket is no better, for descriptors that
// were sent and never received are closed with it.

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <upcase/blocking_pool.hpp>
#include <upcase/file_descriptor.hpp>

namespace upcase {

/// Any thread may call any member.
class descriptor_closer {
 public:
  /// So many closings can block before no further one gets its turn. Throws
  /// std::bad_alloc.
  explicit descriptor_closer(std::size_t threads);
  descriptor_closer(const descriptor_closer&) = delete;
  descriptor_closer& operator=(const descriptor_closer&) = delete;
  /// Waits for what is pending, one second at most.
  ~descriptor_closer() = default;

  /// Closes `fd` on a thread of its own, soon. Only where there is no memory to
  /// remember it, it is closed here.
  void close(int fd) noexcept;

  /// How many are given and not closed yet.
  [[nodiscard]] std::size_t pending() const noexcept;

  /// Waits until none is; false if some are after `limit`.
  [[nodiscard]] bool finish(std::chrono::milliseconds limit) noexcept;

  /// Closes nothing until `go_on`. While a child is being started, its copies are
  /// closed by its exec(2), which would wait in our place if ours went first.
  void hold() noexcept;
  void go_on() noexcept;

  /// The one for this process's clients: a bound on blocked threads holds for a
  /// process. It is never destroyed.
  static descriptor_closer& of_process();

 private:
  struct state;

  void call_thread() noexcept;

  std::size_t threads_;
  std::shared_ptr<state> state_;  // which a blocked thread keeps
  blocking_pool pool_;
};

/// On a thread of descriptor_closer::of_process().
void close_aside(int fd) noexcept;

/// A descriptor whose close may block.
using unsafe_descriptor = basic_descriptor<close_aside>;

}  // namespace upcase
