// server_unit: the commands for the daemon at a socket, which may be a systemd unit's.

#pragma once

#include <filesystem>
#include <string>
#include <upcase/peer.hpp>

namespace upcase_client {

/// The commands that start a daemon at `socket`, and for a unit the one that
/// says why it does not run.
std::string how_to_start(const std::filesystem::path& socket);

/// Where the log of the daemon at `socket` is, for whom `listener` called
/// listen(2).
std::string where_the_log_is(const std::filesystem::path& socket, const upcase::peer& listener);

/// Whether a service manager called listen(2), as far as /proc tells.
bool is_service_manager(const upcase::peer& listener);

}  // namespace upcase_client
