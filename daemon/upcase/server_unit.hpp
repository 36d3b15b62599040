// server_unit: which systemd unit, if any, keeps the daemon at a socket.

#pragma once

#include <filesystem>
#include <string>
#include <upcase/peer.hpp>

namespace upcase_client {

/// Read off the path of the socket: the units' sockets lie where their daemons
/// look for them, and nobody need answer there.
struct server_unit {
  enum class manager { none, system, user };
  manager kept_by = manager::none;
  std::string name = "upcased";  ///< without ".socket" or ".service"

  /// "systemctl" with what makes it, or journalctl, speak to that manager.
  [[nodiscard]] std::string command(const char* program) const;
};

server_unit unit_of(const std::filesystem::path& socket);

/// The commands that start a daemon at `socket`, and for a unit the one that
/// says why it does not run.
std::string how_to_start(const std::filesystem::path& socket);

/// Where the log of the daemon at `socket` is, for whom `listener` called
/// listen(2).
std::string where_the_log_is(const std::filesystem::path& socket, const upcase::peer& listener);

/// Whether a service manager called listen(2), as far as /proc tells.
bool is_service_manager(const upcase::peer& listener);

}  // namespace upcase_client
