// server_unit: commands for people.

#include "server_unit.hpp"

#include <fmt/format.h>
#include <fstream>
#include <string_view>
#include <upcase/runtime_directory.hpp>
#include <upcase/service_unit.hpp>

namespace upcase_client {
namespace {

using upcase::service_unit;
using manager = service_unit::manager;

// As ps(1) shows it; empty if it is hidden or gone.
std::string name_of(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/comm", process));
  std::string name;
  std::getline(file, name);
  return name;
}

bool is_own_socket(const std::filesystem::path& socket) {
  return socket == upcase::user_runtime_directory() / upcase::socket_file_name;
}

}  // namespace

std::string how_to_start(const std::filesystem::path& socket) {
  const service_unit unit = upcase::unit_of(socket);
  if (unit.kept_by == manager::none) {
    return is_own_socket(socket)
               ? "start it with 'upcased'"
               : fmt::format("start it with 'upcased --socket {}'", socket.native());
  }
  const std::string systemctl = unit.command("systemctl");
  const bool is_main = unit.name == "upcased";
  return fmt::format(
      "start it with '{0} start {1}.socket'{2} ('{0} status {1}.socket {1}.service' says "
      "why it is down; if systemd gave it up, run '{0} reset-failed {1}.socket {1}.service' first)",
      systemctl, unit.name, is_main ? " or, as yourself, 'upcased'" : "");
}

std::string where_the_log_is(const std::filesystem::path& socket, const upcase::peer& listener) {
  const std::string name = name_of(listener.pid);
  if (!name.empty() && !is_service_manager(listener)) {
    return fmt::format("standard error of process {} ({})", listener.pid, name);
  }
  service_unit unit = upcase::unit_of(socket);
  if (unit.kept_by == manager::none) {
    if (name.empty()) {
      return "the daemon's standard error";
    }
    unit.kept_by = listener.uid == 0 ? manager::system : manager::user;
  }
  return fmt::format("'{} -u {}'", unit.command("journalctl"), unit.name);
}

bool is_service_manager(const upcase::peer& listener) { return name_of(listener.pid) == "systemd"; }

}  // namespace upcase_client
