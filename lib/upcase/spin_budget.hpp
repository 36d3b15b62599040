// spin_budget: when an idle event loop looks for work instead of sleeping.
//
// A loop without work can sleep, and pay for falling asleep and being woken, or
// spin: look again and again, and pay for the time until work arrives. Which is
// cheaper depends on when the work arrives, and nobody knows that beforehand.
// So a loop spins on a budget of processor time:
//
//   - a spin that finds work after `t` has saved a sleep and earns
//     `sleep_cost - t`, which is a loss for large t;
//   - a spin in vain loses all of its time;
//   - the budget grows by a 200th of the time that passes, up to a limit;
//   - while it is empty, the loop sleeps at once.
//
// Where work arrives within `sleep_cost`, the budget stays full and the loop always
// spins. Elsewhere spins take at most a 200th of a processor, whatever the clients do:
// unlike a rule that counts successes, it also holds where each spin succeeds, but late.
//
// Two things look like success and are none. Work that is there at the first look
// arrived while the loop was busy. And work that arrives while another thread has
// the loop's processor was made possible by that thread, not by the spin: when
// client and server share a processor, every spin is of this kind. The loop tells
// by the time between two looks, which is under a microsecond otherwise.
//
// Compare halt polling of KVM (Documentation/virt/kvm/halt-polling.rst), which
// learns how long to spin from how long the last sleeps were.

#pragma once

#include <chrono>
#include <upcase/deadlines.hpp>

namespace upcase {

/// Belongs to one event loop. Reads no clock: every time is given.
class spin_budget {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  /// A spin is given up after this. Work that arrives later loses less by a sleep.
  static constexpr nanoseconds longest_spin = std::chrono::microseconds(50);

  /// What a sleep costs client and server: the time that the answer is late, and the
  /// processor time of falling asleep and being woken. Measured on a virtual machine,
  /// where a lone client's sleep costs more and one among many a third of it.
  static constexpr nanoseconds sleep_cost = std::chrono::microseconds(15);

  /// Two looks so far apart had another thread in between.
  static constexpr nanoseconds preempted = std::chrono::microseconds(15);

  /// Twenty spins in vain: what a first client may cost before it is known.
  static constexpr nanoseconds limit = 20 * longest_spin;

  /// One part in so many of the time that passes may be lost.
  static constexpr int share = 200;

  explicit spin_budget(steady_time now) noexcept : updated_(now) {}

  /// Whether a spin may begin now.
  [[nodiscard]] bool allows(steady_time now) noexcept;

  /// A spin of `spent` found work.
  void succeeded(nanoseconds spent) noexcept;

  /// A spin of `spent` found none, or had no part in what it found.
  void failed(nanoseconds spent) noexcept;

 private:
  nanoseconds left_ = limit;
  steady_time updated_;
};

}  // namespace upcase
