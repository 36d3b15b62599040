// peer: the two socket options behind it.

#include <upcase/peer.hpp>

#include <cerrno>
#include <fstream>
#include <sys/socket.h>

namespace upcase {

std::optional<peer> peer_of(int socket) noexcept {
  ucred cred{};
  socklen_t size = sizeof cred;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &size) != 0) {
    return std::nullopt;
  }
  return peer{.uid = cred.uid, .gid = cred.gid, .pid = cred.pid};
}

std::optional<std::vector<gid_t>> groups_of(int socket) {
  std::vector<gid_t> groups(32);
  for (;;) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      return groups;
    }
    // The kernel has written the size that it needs (socket(7), ERANGE).
    if (errno != ERANGE || size / sizeof(gid_t) <= groups.size()) {
      return std::nullopt;
    }
    groups.resize(size / sizeof(gid_t));
  }
}

uid_t overflow_uid() noexcept {
  try {
    uid_t uid = 65534;
    std::ifstream("/proc/sys/kernel/overflowuid") >> uid;
    return uid;
  } catch (...) {
    return 65534;
  }
}

}  // namespace upcase
