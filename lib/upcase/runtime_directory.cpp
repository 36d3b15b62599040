// runtime_directory: environment first, then who we are.

#include <upcase/runtime_directory.hpp>

#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/own_directory.hpp>
#include <upcase/system_calls.hpp>

namespace upcase {

std::filesystem::path user_runtime_directory() {
  if (::geteuid() == 0) {
    return system_runtime_directory;
  }
  if (const auto base = absolute_from_environment("XDG_RUNTIME_DIR"); !base.empty()) {
    return std::filesystem::path(base) / "upcased";
  }
  return fmt::format("/tmp/upcased-{}", ::geteuid());
}

std::filesystem::path daemon_runtime_directory() {
  // systemd joins several with colons; the first is the unit's main one.
  if (const auto given = absolute_from_environment("RUNTIME_DIRECTORY"); !given.empty()) {
    return given.substr(0, given.find(':'));
  }
  return user_runtime_directory();
}

bool is_trusted_directory(const std::filesystem::path& directory) noexcept {
  struct stat status {};
  return ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         (status.st_uid == 0 || status.st_uid == ::geteuid()) && !others_may_rename_in(status);
}

std::optional<std::string> prepare_runtime_directory(const std::filesystem::path& directory) {
  constexpr mode_t world_readable = S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH;
  if (const auto error = make_directory(directory, world_readable)) {
    return fmt::format("cannot create the runtime directory '{}': {}", directory.native(),
                       error.message());
  }
  if (!is_trusted_directory(directory)) {
    return fmt::format(
        "the runtime directory '{}' is not a directory of root's or of uid {} in which nobody else "
        "may write; name another place with --socket and --client-directory",
        directory.native(), ::geteuid());
  }
  return std::nullopt;
}

}  // namespace upcase
