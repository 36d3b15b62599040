// configuration_path: who we are, then the environment.

#include <upcase/configuration_path.hpp>

#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/runtime_directory.hpp>
#include <upcase/system_calls.hpp>

namespace upcase {
namespace {

bool is_ours(const char* directory) noexcept {
  struct stat status {};
  return ::stat(directory, &status) == 0 && status.st_uid == ::geteuid();
}

std::filesystem::path configuration_home() {
  if (const auto given = absolute_from_environment("XDG_CONFIG_HOME"); !given.empty()) {
    return given;
  }
  const std::string home(absolute_from_environment("HOME"));
  return is_ours(home.c_str()) ? std::filesystem::path(home) / ".config" : std::filesystem::path();
}

bool is_system_service() {
  return daemon_runtime_directory().parent_path() ==
         std::filesystem::path(system_runtime_directory).parent_path();
}

}  // namespace

std::filesystem::path default_configuration() {
  if (::geteuid() == 0 || is_system_service()) {
    return system_configuration;
  }
  const auto home = configuration_home();
  return home.empty() ? home : home / "upcased" / "upcased.conf";
}

}  // namespace upcase
