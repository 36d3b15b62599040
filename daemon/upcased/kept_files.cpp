// kept_files: sentences, and what a unit's sandbox leaves writable.

#include "kept_files.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace upcased {
namespace {

using upcase::removal;
using manager = upcase::service_unit::manager;

bool lies_in(const std::filesystem::path& path, const std::filesystem::path& directory) {
  const auto [end, ignored] =
      std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return end == directory.end();
}

bool lies_in_tmp(const std::filesystem::path& path) {
  return lies_in(path, "/tmp") || lies_in(path, "/var/tmp");
}

// With the command that makes it, where that is known.
std::string drop_in(const upcase::service_unit& keeper, const std::string& line) {
  const std::string where =
      keeper.kept_by == manager::none
          ? "its service's unit needs"
          : fmt::format("'{} edit {}' with", keeper.command("systemctl"), keeper.name);
  return fmt::format("{} '[Service]' and '{}', then a restart, mends that", where, line);
}

std::string read_only(const std::string& path, const upcase::service_unit& keeper) {
  return fmt::format(
      "'{}' is read-only for the daemon: clients are served, but their socket files there are "
      "never removed; {}",
      path, drop_in(keeper, "ReadWritePaths=" + path));
}

}  // namespace

std::optional<std::string> why_files_stay(const upcase::client_directory& directory,
                                          const upcase::service_unit& keeper) {
  const std::string& path = directory.path();
  switch (directory.removes()) {
    case removal::possible:
      break;
    case removal::read_only:
      return read_only(path, keeper);
    case removal::forbidden:
      return fmt::format(
          "the daemon's user, uid {}, may not remove other users' files in '{}': clients are "
          "served, but their socket files stay unless they remove them; a directory that belongs "
          "to uid {}, as one that the daemon makes, mends that",
          ::geteuid(), path, ::geteuid());
  }
  return std::nullopt;
}

std::optional<std::string> why_files_stay(const upcase::client_directory& directory,
                                          const unit& service) {
  const std::filesystem::path path = directory.path();
  const upcase::service_unit keeper = service.keeper();
  if (service.private_tmp && lies_in_tmp(path)) {
    return fmt::format(
        "the service has a '/tmp' and a '/var/tmp' of its own, and sees no client's file in '{}': "
        "all are refused; {}",
        path.native(), drop_in(keeper, "PrivateTmp=no"));
  }
  const auto holds = [&path](const auto& each) { return lies_in(path, each); };
  const bool writable = !service.strict || std::ranges::any_of(service.writable, holds) ||
                        (!service.runtime_directory.empty() && holds(service.runtime_directory));
  return writable ? why_files_stay(directory, keeper) : read_only(path.native(), keeper);
}

void tell_kept_files(upcase::log& journal, const std::vector<upcase::client_directory>& all,
                     const upcase::service_unit& keeper) {
  for (const auto& directory : all) {
    if (const auto reason = why_files_stay(directory, keeper)) {
      journal.write(upcase::log_level::warning, upcase::event::status,
                    {{"client-files", "kept"}, {"reason", *reason}});
    }
  }
}

}  // namespace upcased
