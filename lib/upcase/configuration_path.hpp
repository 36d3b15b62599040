// configuration_path: which file a daemon reads when its command line names none.
//
// A user's own daemon does not read the system's: that is written for another user,
// another runtime directory and another sandbox.

#pragma once

#include <filesystem>

namespace upcase {

inline constexpr const char* system_configuration = "/etc/upcased/upcased.conf";

/// The system's for root and for services of the system, whose $RUNTIME_DIRECTORY
/// systemd makes in /run (systemd.exec(5)). Else $XDG_CONFIG_HOME/upcased/upcased.conf,
/// where that is $HOME/.config by default; empty, and there is none, where neither is
/// set or $HOME belongs to somebody else, as after setpriv(1).
std::filesystem::path default_configuration();

}  // namespace upcase
