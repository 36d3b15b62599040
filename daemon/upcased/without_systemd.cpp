// without_systemd: in place of service_manager.cpp and activation.cpp where
// there is no libsystemd (UPCASE_SYSTEMD=OFF). Nobody listens, nothing is passed.

#include "activation.hpp"
#include "service_manager.hpp"

namespace upcased {

service_manager::service_manager() noexcept : listens_(false) {}

std::optional<std::chrono::microseconds> service_manager::longest_silence() noexcept {
  return std::nullopt;
}

void service_manager::reloading() const {}
void service_manager::extend_timeout(std::chrono::microseconds /*by*/) const {}
void service_manager::status(std::string_view /*line*/) const {}
void service_manager::say(std::string_view /*message*/) const {}

activated_socket take_activated_socket(upcase::log& /*journal*/) { return {}; }

}  // namespace upcased
