// without_systemd: in place of service_manager.cpp and activation.cpp where
// there is no libsystemd (UPCASE_SYSTEMD=OFF). Nobody listens, nothing is passed.

#include "activation.hpp"
#include "service_manager.hpp"

namespace upcased {

service_manager::service_manager() noexcept = default;

std::optional<std::chrono::microseconds> service_manager::longest_silence() noexcept {
  return std::nullopt;
}

void service_manager::reloading() const {}
void service_manager::extend_timeout(std::chrono::microseconds /*by*/) const {}
void service_manager::status(std::string_view /*line*/) const {}
void service_manager::say(std::string_view /*message*/) const {}

bool service_manager::stores_descriptors() const noexcept { return false; }
bool service_manager::store(const char* /*name*/,
                            std::span<const upcase::file_descriptor> /*descriptors*/) const {
  return false;
}
bool service_manager::store(const char* /*name*/, int /*descriptor*/) const { return false; }
void service_manager::forget(const char* /*name*/) const {}
bool service_manager::has_heard() const noexcept { return false; }

std::vector<passed_descriptor> take_passed_descriptors() { return {}; }

}  // namespace upcased
