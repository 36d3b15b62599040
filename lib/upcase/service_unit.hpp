// service_unit: which systemd unit, if any, keeps the daemon at a socket.
//
// Read off the path of the socket: the units' sockets lie where their daemons look
// for them, and nobody need answer there.

#pragma once

#include <filesystem>
#include <string>

namespace upcase {

struct service_unit {
  enum class manager { none, system, user };
  manager kept_by = manager::none;
  std::string name = "upcased";  ///< without ".socket" or ".service"

  /// A program of systemd's with what makes it speak to that manager: "systemctl --user".
  [[nodiscard]] std::string command(const char* program) const;
};

service_unit unit_of(const std::filesystem::path& socket);

}  // namespace upcase
