// preparation: the limit of open files, the runtime directory, the client directories.

#include "preparation.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <upcase/credentials.hpp>
#include <upcase/published_directory.hpp>
#include <upcase/runtime_directory.hpp>
#include <upcase/service_unit.hpp>
#include <utility>
#include <variant>

namespace upcased {

void tell_warnings(upcase::log& journal, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    journal.write(upcase::log_level::warning, upcase::event::status,
                  {{"configuration", "unsafe"}, {"warning", warning}});
  }
}

void raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void prepare_directories(const upcase::settings& config, const upcase::settings& defaults,
                         const on_problem& tell) {
  const auto runtime = defaults.socket.parent_path();
  bool used = config.socket.parent_path() == runtime;
  for (const auto& directory : config.client_directories) {
    used = used || directory.parent_path() == runtime;
  }
  if (used) {
    if (const auto problem = upcase::prepare_runtime_directory(runtime)) {
      const upcase::service_unit keeper = upcase::unit_of(defaults.socket);
      const std::string start =
          keeper.kept_by == upcase::service_unit::manager::none
              ? ""
              : fmt::format(", or start the service that it belongs to: '{} start {}.socket'",
                            keeper.command("systemctl"), keeper.name);
      tell(start_error(EX_OSERR, *problem + start));
    }
  }
}

std::vector<upcase::client_directory> open_client_directories(const upcase::settings& config,
                                                              const on_problem& tell) {
  std::vector<upcase::client_directory> result;
  if (config.credentials.source == upcase::credential_source::kernel) {
    return result;
  }
  if (!upcase::kernel_can_check_files()) {
    tell(start_error(
        EX_OSERR,
        "this kernel has no openat2(2), or a sandbox forbids it (RestrictSUIDSGID= does); "
        "the check of clients' socket files needs it, without it only 'credentials = kernel' "
        "can be served"));
    return result;
  }
  for (const auto& path : config.client_directories) {
    auto opened = upcase::client_directory::open_or_create(path);
    if (const auto* problem = std::get_if<std::string>(&opened)) {
      tell(start_error(EX_CONFIG, "client-directory: " + *problem));
    } else {
      result.push_back(std::get<upcase::client_directory>(std::move(opened)));
    }
  }
  return result;
}

void publish_client_directory(const std::filesystem::path& socket, const upcase::settings& config,
                              upcase::log& journal) {
  const bool wanted = config.credentials.source == upcase::credential_source::file;
  const auto problem = upcase::publish_client_directory(
      socket, wanted ? config.client_directories : std::vector<std::filesystem::path>());
  if (problem) {
    journal.write(upcase::log_level::warning, upcase::event::status,
                  {{"client-directory", "unpublished"}, {"reason", *problem}});
  }
}

}  // namespace upcased
