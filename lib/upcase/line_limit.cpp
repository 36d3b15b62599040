// line_limit: accounts by user, dropped when their period is over.

#include <upcase/line_limit.hpp>

#include <algorithm>

namespace upcase {

bool line_limit::admit(uid_t uid, clock::time_point now) {
  if (accounts_.size() >= most_users && !accounts_.contains(uid)) {
    uid = others;
  }
  account& of_user = accounts_.try_emplace(uid, account{.ends = now + period}).first->second;
  return ++of_user.seen <= lines_;
}

std::vector<line_limit::report> line_limit::take_ended(clock::time_point now) {
  std::vector<report> result;
  std::erase_if(accounts_, [&](const auto& entry) {
    const auto& [uid, of_user] = entry;
    if (of_user.ends > now) {
      return false;
    }
    if (of_user.seen > lines_) {
      result.push_back({.uid = uid, .suppressed = of_user.seen - lines_});
    }
    return true;
  });
  return result;
}

std::optional<line_limit::clock::time_point> line_limit::next_end() const {
  const auto first =
      std::ranges::min_element(accounts_, {}, [](const auto& entry) { return entry.second.ends; });
  if (first == accounts_.end()) {
    return std::nullopt;
  }
  return first->second.ends;
}

}  // namespace upcase
