// spin_budget: what is earned and what is lost.

#include <upcase/spin_budget.hpp>

#include <algorithm>

namespace upcase {

bool spin_budget::allows(steady_time now) noexcept {
  left_ = std::min(left_ + (now - updated_) / share, limit);
  updated_ = now;
  return left_ > nanoseconds::zero();
}

void spin_budget::succeeded(nanoseconds spent) noexcept {
  left_ = std::min(left_ + sleep_cost - spent, limit);
}

void spin_budget::failed(nanoseconds spent) noexcept {
  // Of a spin that was preempted, only its own time is lost.
  left_ -= std::min(spent, longest_spin);
}

}  // namespace upcase
