// examination: load, then say what came of it.

#include "examination.hpp"

#include <fmt/format.h>
#include <string>
#include <sysexits.h>
#include <unistd.h>
#include <upcase/client_directory.hpp>
#include <upcase/service_unit.hpp>
#include <upcase/setting_keys.hpp>
#include <upcase/settings_loader.hpp>
#include <upcase/standard_streams.hpp>
#include <variant>

#include "complaint.hpp"
#include "examined.hpp"
#include "kept_files.hpp"

namespace upcased {
namespace {

void warn_of_kept_files(const upcase::settings& value, const examined& daemon) {
  // What another user may remove, the kernel does not tell us.
  const uid_t user = daemon.daemon.user.value_or(::geteuid());
  if (value.credentials.source != upcase::credential_source::file || user != ::geteuid()) {
    return;
  }
  for (const auto& path : value.client_directories) {
    const auto opened = upcase::client_directory::open(path, user);
    const auto* directory = std::get_if<upcase::client_directory>(&opened);
    if (directory == nullptr) {
      continue;  // it is made at start
    }
    const auto reason = daemon.unit
                            ? why_files_stay(*directory, *daemon.unit)
                            : why_files_stay(*directory, upcase::unit_of(daemon.defaults.socket));
    if (reason) {
      upcase::complain("warning: client-directory: " + *reason);
    }
  }
}

}  // namespace

int examine(const command& asked, upcase::log& journal) {
  const examined daemon = find_examined(asked);
  const auto loaded = upcase::load_settings(daemon.sources, daemon.defaults, daemon.daemon);
  if (!loaded.problems.empty()) {
    const int code = complain_about(journal, loaded);
    if (!daemon.name.empty()) {
      upcase::complain(fmt::format("upcased: {} wrong with the configuration of {}",
                                   loaded.problems.size() == 1
                                       ? "this is"
                                       : fmt::format("these {} are", loaded.problems.size()),
                                   daemon.name));
    }
    return code;
  }
  if (asked.what == command::action::print_config) {
    if (!daemon.name.empty()) {
      fmt::print("# Of {}\n", daemon.name);
    }
    fmt::print("{}", upcase::print_settings(loaded.value));
    return EX_OK;
  }
  for (const std::string& warning : loaded.warnings) {
    upcase::complain("warning: " + warning);
  }
  warn_of_kept_files(loaded.value, daemon);
  fmt::print("upcased: the configuration{} is in order\n",
             daemon.name.empty() ? "" : " of " + daemon.name);
  return EX_OK;
}

}  // namespace upcased
