// configuration_path: who we are, then the environment.

#include <upcase/configuration_path.hpp>

#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/runtime_directory.hpp>
#include <upcase/system_calls.hpp>

namespace upcase {
namespace {

bool is_ours(const std::string& directory) noexcept {
  struct stat status {};
  return ::stat(directory.c_str(), &status) == 0 && status.st_uid == ::geteuid();
}

std::filesystem::path configuration_home() {
  if (const std::string given(absolute_from_environment("XDG_CONFIG_HOME")); is_ours(given)) {
    return given;
  }
  const std::string home(absolute_from_environment("HOME"));
  return is_ours(home) ? std::filesystem::path(home) / ".config" : std::filesystem::path();
}

// systemd gives every unit an invocation, and only those of a user's manager a
// runtime directory of the user's. Its account may well have a home.
bool is_system_service() {
  const auto given = absolute_from_environment("RUNTIME_DIRECTORY");
  const bool in_users_place = given.starts_with("/run/user/");
  return (given.starts_with("/run/") && !in_users_place) ||
         (!environment("INVOCATION_ID").empty() && environment("XDG_RUNTIME_DIR").empty());
}

}  // namespace

std::filesystem::path default_configuration() {
  if (::geteuid() == 0 || is_system_service()) {
    return system_configuration;
  }
  // Without a home it is an account of the system's, whose rules must hold.
  const auto home = configuration_home();
  return home.empty() ? system_configuration : home / "upcased" / "upcased.conf";
}

}  // namespace upcase
