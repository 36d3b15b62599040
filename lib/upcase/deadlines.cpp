// deadlines: a tree ordered by when to look.

#include <upcase/deadlines.hpp>

namespace upcase {

bool deadline_queue::set(deadline& d, steady_time when) {
  d.due_ = when;
  if (d.is_linked()) {
    if (d.looked_at_ <= when) {
      return false;
    }
    d.unlink();
  }
  d.looked_at_ = when;
  const auto place = queue_.insert(d);
  return place == queue_.begin();
}

std::optional<steady_time> deadline_queue::next() const noexcept {
  if (queue_.empty()) {
    return std::nullopt;
  }
  return queue_.begin()->looked_at_;
}

void deadline_queue::expire(steady_time now) {
  while (!queue_.empty() && queue_.begin()->looked_at_ <= now) {
    deadline& first = *queue_.begin();
    first.unlink();
    if (first.due_ == deadline::never) {
      continue;
    }
    if (first.due_ > now) {
      first.looked_at_ = first.due_;
      queue_.insert(first);
      continue;
    }
    first.due_ = deadline::never;
    first.expired(now);
  }
}

}  // namespace upcase
