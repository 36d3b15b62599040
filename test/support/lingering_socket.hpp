// lingering_socket: a descriptor whose last close takes long.

#pragma once

#include <chrono>
#include <upcase/file_descriptor.hpp>
#include <vector>

namespace test {

/// A TCP connection over loopback that is full both ends, and whose other end
/// nobody reads: who closes the last copy of `socket` waits for so long (SO_LINGER,
/// socket(7)). Any user can make one. Throws.
struct lingering_socket {
  explicit lingering_socket(std::chrono::seconds lingers = std::chrono::seconds(30));

  upcase::file_descriptor socket;
  upcase::file_descriptor other_end;
};

/// sendmsg(2) of one byte with these descriptors; the errno of it, or 0. `flags`
/// as there; MSG_NOSIGNAL is added.
int send_descriptors(int to, const std::vector<int>& descriptors, int flags = 0);

}  // namespace test
