// activation: the listening socket that systemd opened before it started us.
//
// It is found by its name, the FileDescriptorName= of the socket unit, since
// what else is passed, and in which order, is for the units to decide. The
// socket and its file stay systemd's: we close our descriptor and no more, so
// that clients can connect while we are away.

#pragma once

#include <string>
#include <upcase/file_descriptor.hpp>
#include <upcase/log.hpp>

namespace upcased {

struct activated_socket {
  upcase::file_descriptor socket;  ///< non-blocking; none: we were not given one
  std::string path;                ///< where it is bound, for the log
};

/// Takes what was passed to this process, once. Descriptors of other names are
/// closed with a warning. Throws start_error if the right name is on something
/// that no client can connect to.
activated_socket take_activated_socket(upcase::log& journal);

}  // namespace upcased
