// service: the life of one daemon process, from its settings to its end.

#pragma once

#include <string>
#include <upcase/log.hpp>
#include <upcase/settings_loader.hpp>
#include <vector>

namespace upcased {

/// Serves with `config` until SIGTERM or SIGINT has been obeyed: the first
/// lets every client finish what it sent, a second ends at once. SIGHUP loads
/// `sources` over `defaults` again; if anything is wrong with them, nothing
/// changes. SIGUSR2 hands the clients over to a successor (succession.hpp),
/// which `argv`, this process's command line, starts; clients that a predecessor
/// has handed over are taken over. Listens on the service manager's socket if
/// it brought one, and keeps it informed. Returns the exit code; throws
/// start_error.
int serve(upcase::settings config, const upcase::setting_sources& sources,
          const upcase::settings& defaults, std::vector<std::string> argv, upcase::log& journal);

}  // namespace upcased
