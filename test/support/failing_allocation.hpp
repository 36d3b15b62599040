// failing_allocation: one allocation of the whole program fails.
//
// Used in a loop that lets the first one fail, then the second, and so on
// until none is left to fail, it tries every place at which a piece of code can
// run out of memory. Replaces the program's operator new.

#pragma once

#include <cstddef>

namespace test {

/// While it lives, the allocation after `skipped` others throws std::bad_alloc;
/// of all threads' allocations, and only that one.
class failing_allocation {
 public:
  explicit failing_allocation(std::size_t skipped) noexcept;
  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;
  ~failing_allocation();

  /// Whether there were so many.
  [[nodiscard]] bool happened() const noexcept;
};

}  // namespace test
