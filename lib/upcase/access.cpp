// access: deny, then allow.

#include <upcase/access.hpp>

#include <algorithm>

namespace upcase {
namespace {

template <typename Id>
bool contains(const std::vector<Id>& list, Id id) {
  return std::ranges::find(list, id) != list.end();
}

bool intersect(const std::vector<gid_t>& rules, const std::vector<gid_t>& groups) {
  return std::ranges::any_of(groups, [&](gid_t group) { return contains(rules, group); });
}

}  // namespace

bool access_rules::admits(const peer& who, const group_lookup& groups) const {
  const bool by_group = !allow_groups.empty() || !deny_groups.empty();
  const auto supplementary = by_group ? groups() : std::vector<gid_t>{};

  const bool denied =
      contains(deny_users, who.uid) || contains(deny_groups, who.gid) ||
      (!deny_groups.empty() && (!supplementary || intersect(deny_groups, *supplementary)));
  if (denied) {
    return false;
  }
  if (allow_users.empty() && allow_groups.empty()) {
    return true;
  }
  return contains(allow_users, who.uid) || contains(allow_groups, who.gid) ||
         (supplementary && intersect(allow_groups, *supplementary));
}

}  // namespace upcase
