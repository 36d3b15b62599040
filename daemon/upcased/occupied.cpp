// occupied: the kernel is asked first, then systemd.

#include "occupied.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <sysexits.h>
#include <upcase/listener.hpp>
#include <upcase/service_unit.hpp>
#include <upcase/system_calls.hpp>

#include "start_error.hpp"
#include "unit.hpp"

namespace upcased {

void refuse_if_served(const std::filesystem::path& socket) {
  if (upcase::probe_socket(socket.native()) != EPROTOTYPE) {
    return;
  }
  const upcase::service_unit keeper = upcase::unit_of(socket);
  const auto service =
      keeper.kept_by == upcase::service_unit::manager::none ? std::nullopt : find_unit(keeper);
  if (!service || (service->pid == 0 && !service->listens)) {
    throw upcase::listen_error::running(socket);
  }
  const std::string systemctl = keeper.command("systemctl");
  const std::string units = fmt::format("{0}.socket {0}.service", keeper.name);
  throw start_error(
      EX_UNAVAILABLE,
      fmt::format("already served by the {}service {} ({}); '{} status {}' shows it, "
                  "'{} stop {}' stops it",
                  keeper.kept_by == upcase::service_unit::manager::user ? "user " : "", keeper.name,
                  service->pid > 0 ? fmt::format("pid {}", service->pid)
                                   : "it starts when a client connects",
                  systemctl, units, systemctl, units));
}

}  // namespace upcased
