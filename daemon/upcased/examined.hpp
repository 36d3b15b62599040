// examined: the daemon for which --check and --print-config answer.
//
// Whoever types them means the daemon that runs, or would be started. Mostly that is a
// unit's, which has another user, another runtime directory and other limits than
// the process that is asked.

#pragma once

#include <optional>
#include <string>
#include <upcase/settings_loader.hpp>

#include "options.hpp"
#include "unit.hpp"

namespace upcased {

struct examined {
  std::string name;  ///< for people; empty: they know, since it is a unit that asks
  std::optional<upcased::unit> unit;
  upcase::setting_sources sources;
  upcase::settings defaults;
  upcase::daemon_facts daemon;
};

/// The first of these: the unit that `asked` names; with $RUNTIME_DIRECTORY, as in a
/// unit, or with --config or settings on the command line, the daemon that this process
/// would be;
/// upcased.service for root and for its user; a user's own upcased.service, if it is
/// enabled or active; the daemon that this process would be. As root, this process
/// becomes the unit's user for good, and so sees what that daemon sees. Throws
/// usage_error or start_error.
examined find_examined(const command& asked);

}  // namespace upcased
