// inheritance: the descriptors that were open before this process began.
//
// They come from the service manager (its listening socket, and what a
// predecessor has put in its store) or straight from a predecessor that
// replaced itself by us (exec). Each is known by its name, since what else is
// passed, and in which order, is for the units to decide.

#pragma once

#include <optional>
#include <string>
#include <upcase/descriptor_closer.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/handover_record.hpp>
#include <upcase/log.hpp>
#include <vector>

#include "start_error.hpp"

namespace upcased {

/// The service manager's listening socket: FileDescriptorName= of the socket
/// unit. It and its file stay systemd's: we close our descriptor and no more,
/// so that clients can connect while we are away.
inline constexpr const char* activated_name = "upcased";
/// A predecessor's own listening socket, whose file is ours to care for.
inline constexpr const char* listener_name = "upcased-listener";
/// The lock file of that one, locked.
inline constexpr const char* lock_name = "upcased-lock";
/// What a predecessor served by (inherited_settings.hpp).
inline constexpr const char* settings_name = "upcased-settings";
/// Clients on their way (carrier.hpp).
inline constexpr const char* carrier_name = "upcased-carrier";

struct listening_socket {
  upcase::file_descriptor fd;  ///< non-blocking; none: we were not given one
  std::string path;            ///< where it is bound
};

/// A descriptor that was passed and is of no use.
struct discarded_descriptor {
  std::string name;
  std::string reason;
};

struct inheritance {
  listening_socket activated;
  listening_socket own;
  upcase::file_descriptor lock;
  upcase::file_descriptor settings;
  std::vector<upcase::unsafe_descriptor> carriers;
  std::vector<discarded_descriptor> discarded;
  /// Why a first start is refused: what the service manager passed cannot be
  /// taken, or the name of its socket is on something that no client can connect
  /// to, or on several.
  std::optional<start_error> unusable;

  /// Whether a predecessor left anything. Then its clients may depend on this
  /// start, which may not fail for want of what they can do without.
  bool has_predecessor = false;
};

/// Takes what was passed to this process, once; to be called before it opens a
/// descriptor of its own, which the environment could name as well. Whatever is
/// of no use is closed.
inheritance take_inheritance();

/// Logs what was discarded. Throws start_error where that leaves a first start
/// without the socket that it was meant to serve.
void tell_discarded(const inheritance& inherited, upcase::log& journal);

/// The clients in the carriers; logs how many, and who was lost.
upcase::cargo unload(const std::vector<upcase::unsafe_descriptor>& carriers, upcase::log& journal);

struct named_descriptor {
  std::string name;
  int fd;
};

/// Lets a successor that is exec'd take these: leaves them open across exec(2)
/// and names them in the environment. The other is how to take that back.
void bequeath(const std::vector<named_descriptor>& descriptors);
void keep(const std::vector<named_descriptor>& descriptors);

}  // namespace upcased
