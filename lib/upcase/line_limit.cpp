// line_limit: accounts by user, dropped when their period is over, and what each
// block of users has of the whole.

#include <upcase/line_limit.hpp>

#include <algorithm>
#include <utility>

namespace upcase {

bool line_limit::admit(uid_t uid, clock::time_point now, unsigned kind) {
  account* const of_user = account_of(uid, now);
  if (of_user == nullptr) {
    if (together_++ == 0) {
      together_ends_ = std::max(together_ends_, now + period);
    }
    return false;
  }
  const bool has_lines = of_user->suppressed == 0 && of_user->written < lines_of_user_;
  if ((has_lines || !of_user->kinds[kind]) && spend_line(uid, *of_user)) {
    ++of_user->written;
    of_user->kinds.set(kind);
    return true;
  }
  if (of_user->suppressed++ == 0) {
    of_user->has_report = spend_line(uid, *of_user);
  }
  return false;
}

// A new one if need be; null if its block has as many as there is room for more.
line_limit::account* line_limit::account_of(uid_t uid, clock::time_point now) {
  if (const auto found = accounts_.find(uid); found != accounts_.end()) {
    return &found->second;
  }
  const auto known = blocks_.find(block_of(uid));
  const std::size_t users = known == blocks_.end() ? 0 : known->second.users;
  if (accounts_.size() + users >= most_users) {
    return nullptr;
  }
  block& around = blocks_[block_of(uid)];
  account& fresh = accounts_.try_emplace(uid, account{.ends = now + period}).first->second;
  ++around.users;
  return &fresh;
}

// Neither has a user more than its block may still get, nor a block more than is
// still free.
bool line_limit::spend_line(uid_t uid, const account& of_user) {
  block& around = blocks_.at(block_of(uid));
  if (lines_ + around.lines + of_user.written >= lines_in_all_) {
    return false;
  }
  ++lines_;
  ++around.lines;
  return true;
}

void line_limit::close(uid_t uid, const account& of_user) {
  const auto around = blocks_.find(block_of(uid));
  const std::size_t lines = of_user.written + (of_user.has_report ? 1 : 0);
  lines_ -= lines;
  around->second.lines -= lines;
  if (--around->second.users == 0) {
    blocks_.erase(around);
  }
}

std::vector<line_limit::report> line_limit::take_ended(clock::time_point now) {
  std::vector<report> result;
  result.reserve(accounts_.size() + 1);
  std::erase_if(accounts_, [&](const auto& entry) {
    const auto& [uid, of_user] = entry;
    if (of_user.ends > now) {
      return false;
    }
    if (of_user.has_report) {
      result.push_back({.uid = uid, .suppressed = of_user.suppressed});
    } else {
      together_ += of_user.suppressed;
    }
    close(uid, of_user);
    return true;
  });
  if (together_ > 0 && together_ends_ <= now) {
    result.push_back({.uid = others, .suppressed = std::exchange(together_, 0)});
    together_ends_ = now == clock::time_point::max() ? clock::time_point() : now + period;
  }
  return result;
}

std::optional<line_limit::clock::time_point> line_limit::next_end() const {
  std::optional<clock::time_point> next;
  if (together_ > 0) {
    next = together_ends_;
  }
  for (const auto& [uid, of_user] : accounts_) {
    next = next ? std::min(*next, of_user.ends) : of_user.ends;
  }
  return next;
}

}  // namespace upcase
