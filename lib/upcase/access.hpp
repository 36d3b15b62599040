// access: may this user in?
//
// The rules that people know from sshd: deny beats allow, and once there is
// any allow rule, who matches none stays out. Without rules everybody whose
// credentials are proven is served.

#pragma once

#include <functional>
#include <optional>
#include <sys/types.h>
#include <upcase/peer.hpp>
#include <vector>

namespace upcase {

/// A plain value; safe to read from several threads.
struct access_rules {
  std::vector<uid_t> allow_users;
  std::vector<gid_t> allow_groups;
  std::vector<uid_t> deny_users;
  std::vector<gid_t> deny_groups;

  /// Looks up supplementary groups; nothing where they cannot be learnt.
  using group_lookup = std::function<std::optional<std::vector<gid_t>>()>;

  /// `groups` is called only where a group rule must be decided. If it yields
  /// nothing, a group rule that denies counts as matched and one that allows
  /// does not: what is unknown never lets anybody in.
  [[nodiscard]] bool admits(const peer& who, const group_lookup& groups) const;

  friend bool operator==(const access_rules&, const access_rules&) = default;
};

}  // namespace upcase
