// quota: counting under a lock.

#include <upcase/quota.hpp>

namespace upcase {

quota::charge::~charge() {
  if (from_ != nullptr) {
    from_->give_back(uid_);
  }
}

bool quota::charge::give_back_excess() noexcept {
  if (from_ == nullptr || !from_->give_back_excess(uid_)) {
    return false;
  }
  from_ = nullptr;
  return true;
}

std::optional<quota::charge> quota::acquire(uid_t uid) {
  const std::scoped_lock lock(mutex_);
  std::size_t& held = held_[uid];
  if (limit_ != 0 && held >= limit_) {
    return std::nullopt;  // held > 0 here, so the entry is not a stray one
  }
  ++held;
  return charge(*this, uid);
}

quota::charge quota::take(uid_t uid) {
  const std::scoped_lock lock(mutex_);
  ++held_[uid];
  return charge(*this, uid);
}

void quota::set_limit(std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  limit_ = limit;
}

std::size_t quota::held_by(uid_t uid) const {
  const std::scoped_lock lock(mutex_);
  const auto found = held_.find(uid);
  return found == held_.end() ? 0 : found->second;
}

void quota::give_back(uid_t uid) noexcept {
  const std::scoped_lock lock(mutex_);
  drop_one(held_.find(uid));
}

bool quota::give_back_excess(uid_t uid) noexcept {
  const std::scoped_lock lock(mutex_);
  const auto found = held_.find(uid);
  if (limit_ == 0 || found == held_.end() || found->second <= limit_) {
    return false;
  }
  drop_one(found);
  return true;
}

void quota::drop_one(counts::iterator held) noexcept {
  if (held != held_.end() && --held->second == 0) {
    held_.erase(held);
  }
}

}  // namespace upcase
