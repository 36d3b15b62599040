// service: the life of one daemon process, from its settings to its end.

#pragma once

#include <upcase/log.hpp>
#include <upcase/settings_loader.hpp>

namespace upcased {

/// Serves with `config` until SIGTERM or SIGINT has been obeyed: the first
/// lets every client finish what it sent, a second ends at once. SIGHUP loads
/// `sources` over `defaults` again; if anything is wrong with them, nothing
/// changes. Listens on the service manager's socket if it brought one, and
/// keeps it informed. Throws start_error.
void serve(upcase::settings config, const upcase::setting_sources& sources,
           const upcase::settings& defaults, upcase::log& journal);

}  // namespace upcased
