// peer: who the kernel says is at the other end.
//
// SO_PEERCRED (unix(7)) is recorded by the kernel when connect(2) is called
// and cannot be forged; it stays with the socket for its whole life, whatever
// becomes of the process. So do the supplementary groups, SO_PEERGROUPS.

#pragma once

#include <optional>
#include <sys/types.h>
#include <vector>

namespace upcase {

/// A connected process, as it was when it called connect(2). The pid may have
/// been reused since: good for a log, not for a decision.
struct peer {
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
  pid_t pid = 0;

  friend bool operator==(const peer&, const peer&) = default;
};

/// The peer of a connected Unix stream socket; nothing if `socket` is not one.
std::optional<peer> peer_of(int socket) noexcept;

/// The peer's supplementary groups (the primary one is in `peer::gid`), or
/// nothing where the kernel does not tell: a caller that denies by group must
/// then deny.
std::optional<std::vector<gid_t>> groups_of(int socket);

/// The uid that stands for every user a namespace has no number for
/// (/proc/sys/kernel/overflowuid; 65534 where that cannot be read).
uid_t overflow_uid() noexcept;

}  // namespace upcase
