// carrier: live clients on their way from one process to the next.
//
// A carrier is the reading end of a SOCK_SEQPACKET pair in whose queue the
// clients' descriptors lie (SCM_RIGHTS, unix(7)): first a sealed memfd with the
// handover record, then one message for every 253 clients. It is one
// descriptor however many clients it holds, so a service manager can keep it
// in its descriptor store (one entry a client costs systemd quadratic time),
// and an exec can inherit it. Nothing in it is closed while it exists: clients'
// bytes wait in their own sockets.
//
// A carrier is full when the kernel's send buffer is (net.core.wmem_max); more
// clients then go into another one.

#pragma once

#include <cstddef>
#include <string>
#include <upcase/file_descriptor.hpp>
#include <upcase/handover_record.hpp>
#include <vector>

namespace upcase {

struct loaded_carriers {
  std::vector<file_descriptor> carriers;
  /// Those whom the kernel would not take: descriptors under way count against
  /// RLIMIT_NOFILE of the user (getrlimit(2), ETOOMANYREFS).
  std::vector<admitted_client> left;
};

/// Puts the clients into as many carriers as they need; descriptors in there
/// are open though this process's copies are closed.
loaded_carriers load_carriers(cargo load);

struct unloaded_carrier {
  cargo load;
  std::size_t lost = 0;  ///< clients that arrived but cannot be gone on with: closed
  std::string problem;   ///< one clause for people if any were lost
};

/// Takes out what a carrier holds; nothing if it is empty or is none. A client
/// whose record does not fit what the kernel says of its socket is lost.
unloaded_carrier unload_carrier(int carrier);

}  // namespace upcase
