// examined: this process, or a unit.

#include "examined.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <grp.h>
#include <iterator>
#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>
#include <upcase/configuration_path.hpp>
#include <upcase/runtime_directory.hpp>
#include <upcase/service_unit.hpp>
#include <upcase/setting_values.hpp>
#include <upcase/system_calls.hpp>
#include <utility>

#include "start_error.hpp"

namespace upcased {
namespace {

using manager = upcase::service_unit::manager;

uid_t user_of(const unit& service) {
  if (service.user.empty()) {
    return service.kept_by == manager::system ? 0 : ::geteuid();
  }
  try {
    return upcase::parse_user(service.user);
  } catch (const upcase::bad_value& wrong) {
    throw start_error(EX_OSERR,
                      fmt::format("User={} of {}: {}", service.user, service.name, wrong.what()));
  }
}

// Not, where it cannot be looked up: then it is somebody else's.
bool runs_as_us(const unit& service) {
  try {
    return user_of(service) == ::geteuid();
  } catch (const start_error&) {
    return false;
  }
}

// The unit that is meant where nobody names one.
std::optional<unit> find_meant() {
  auto system = find_unit({.kept_by = manager::system});
  if (system && (::geteuid() == 0 || runs_as_us(*system))) {
    return system;
  }
  auto own = ::geteuid() == 0 ? std::nullopt : find_unit({.kept_by = manager::user});
  return own && own->enabled ? own : std::nullopt;
}

std::optional<unit> find_named(std::string name) {
  constexpr std::string_view ending = ".service";
  if (name.ends_with(ending)) {
    name.resize(name.size() - ending.size());
  }
  auto found = find_unit({.kept_by = manager::system, .name = name});
  if (!found) {
    throw usage_error(fmt::format("--unit: systemd knows no service '{}'", name));
  }
  return found;
}

// For good: nothing is to be done as root any more.
void become(uid_t user) {
  const passwd* entry = ::getpwuid(user);  // NOLINT(concurrency-mt-unsafe): there is one thread
  if (entry == nullptr || ::initgroups(entry->pw_name, entry->pw_gid) != 0 ||
      ::setgid(entry->pw_gid) != 0 || ::setuid(user) != 0) {
    throw start_error(EX_OSERR, fmt::format("cannot look as uid {} does: {}", user,
                                            entry == nullptr ? "there is no such user"
                                                             : upcase::describe(errno)));
  }
}

examined this_process(const command& asked, std::string name) {
  return {.name = std::move(name),
          .unit = {},
          .sources = asked.sources,
          .defaults = upcase::default_settings(upcase::daemon_runtime_directory()),
          .daemon = {}};
}

// Its command line, and what was asked over it.
upcase::setting_sources sources_of(const unit& service, const command& asked) {
  std::vector<const char*> argv{service.name.c_str()};
  std::ranges::transform(service.arguments, std::back_inserter(argv),
                         [](const std::string& argument) { return argument.c_str(); });
  command own;
  try {
    own = parse_command_line(static_cast<int>(argv.size()), argv.data());
  } catch (const usage_error& wrong) {
    own.sources.problems.push_back(fmt::format("ExecStart= of {}: {}", service.name, wrong.what()));
  }
  upcase::setting_sources result = std::move(own.sources);
  if (asked.config_named) {
    result.config = asked.sources.config;
    result.config_required = asked.sources.config_required;
  } else if (!own.config_named && service.kept_by == manager::system) {
    result.config = upcase::system_configuration;
  }
  result.command_line.insert(result.command_line.end(), asked.sources.command_line.begin(),
                             asked.sources.command_line.end());
  return result;
}

examined of_unit(unit service, const command& asked) {
  const uid_t user = user_of(service);
  examined result;
  result.name = service.description();
  result.sources = sources_of(service, asked);
  result.daemon = {.user = user, .descriptors = {}};
  if (service.descriptors != 0) {
    result.daemon.descriptors = service.descriptors;
  }
  if (::geteuid() == 0 && user != 0) {
    become(user);
  } else if (::geteuid() != user) {
    result.name += fmt::format(" (as far as uid {} can see)", ::geteuid());
  }
  result.defaults =
      upcase::default_settings(service.runtime_directory.empty() ? upcase::user_runtime_directory()
                                                                 : service.runtime_directory);
  result.unit = std::move(service);
  return result;
}

}  // namespace

examined find_examined(const command& asked) {
  if (!asked.unit.empty()) {
    return of_unit(*find_named(asked.unit), asked);
  }
  if (!upcase::absolute_from_environment("RUNTIME_DIRECTORY").empty()) {
    return this_process(asked, "");
  }
  if (!asked.config_named && asked.sources.command_line.empty()) {
    if (auto meant = find_meant()) {
      return of_unit(std::move(*meant), asked);
    }
  }
  return this_process(asked, fmt::format("a daemon started by hand as uid {}", ::geteuid()));
}

}  // namespace upcased
