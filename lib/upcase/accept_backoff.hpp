// accept_backoff: what to do when accept(2) finds no descriptor or memory.
//
// Trying again at once burns a processor, since the connection that could not
// be taken keeps the listener readable; never trying again is the other
// classic mistake. So: wait, twice as long each time, and start over once one
// was taken.

#pragma once

#include <algorithm>
#include <chrono>

namespace upcase {

/// Pure: hands out delays.
class accept_backoff {
 public:
  static constexpr std::chrono::milliseconds first{50};
  static constexpr std::chrono::milliseconds most{1000};

  /// How long to wait now.
  [[nodiscard]] std::chrono::milliseconds next() noexcept {
    const auto delay = delay_;
    delay_ = std::min(delay_ * 2, most);
    return delay;
  }

  /// True from the first `next` to the next `succeeded`: what is logged once.
  [[nodiscard]] bool active() const noexcept { return delay_ != first; }

  void succeeded() noexcept { delay_ = first; }

 private:
  std::chrono::milliseconds delay_ = first;
};

}  // namespace upcase
