// configuration_path: which file a daemon reads when its command line names none.
//
// A user's own daemon does not read the system's: that is written for another user,
// another runtime directory and another sandbox.

#pragma once

#include <filesystem>

namespace upcase {

inline constexpr const char* system_configuration = "/etc/upcased/upcased.conf";

/// The system's for root and for services of the system: systemd gives these a
/// $RUNTIME_DIRECTORY in /run, or at least $INVOCATION_ID without $XDG_RUNTIME_DIR
/// (systemd.exec(5)). Else $XDG_CONFIG_HOME/upcased/upcased.conf, where that is
/// $HOME/.config by default. The system's again where neither directory belongs to the
/// user, as for an account without a home and after setpriv(1): its access rules must
/// not be lost.
std::filesystem::path default_configuration();

}  // namespace upcase
