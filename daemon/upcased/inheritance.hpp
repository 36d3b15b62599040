// inheritance: the descriptors that were open before this process began.
//
// They come from the service manager (its listening socket, and what a
// predecessor has put in its store) or straight from a predecessor that
// replaced itself by us (exec). Each is known by its name, since what else is
// passed, and in which order, is for the units to decide.

#pragma once

#include <string>
#include <upcase/descriptor_closer.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/log.hpp>
#include <vector>

namespace upcased {

/// The service manager's listening socket: FileDescriptorName= of the socket
/// unit. It and its file stay systemd's: we close our descriptor and no more,
/// so that clients can connect while we are away.
inline constexpr const char* activated_name = "upcased";
/// A predecessor's own listening socket, whose file is ours to care for.
inline constexpr const char* listener_name = "upcased-listener";
/// Clients on their way (carrier.hpp).
inline constexpr const char* carrier_name = "upcased-carrier";

struct listening_socket {
  upcase::file_descriptor fd;  ///< non-blocking; none: we were not given one
  std::string path;            ///< where it is bound
};

struct inheritance {
  listening_socket activated;
  listening_socket own;
  std::vector<upcase::unsafe_descriptor> carriers;
};

/// Takes what was passed to this process, once. Descriptors of other names are
/// closed with a warning. Throws start_error if the name of a listening socket
/// is on something that no client can connect to.
inheritance take_inheritance(upcase::log& journal);

struct named_descriptor {
  std::string name;
  int fd;
};

/// Lets a successor that is exec'd take these: leaves them open across exec(2)
/// and names them in the environment. The other is how to take that back.
void bequeath(const std::vector<named_descriptor>& descriptors);
void keep(const std::vector<named_descriptor>& descriptors);

}  // namespace upcased
