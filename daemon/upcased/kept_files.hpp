// kept_files: clients' socket files that the daemon cannot remove. Clients are served
// all the same, and their files add up.

#pragma once

#include <optional>
#include <string>
#include <upcase/client_directory.hpp>
#include <upcase/log.hpp>
#include <upcase/service_unit.hpp>
#include <vector>

#include "unit.hpp"

namespace upcased {

/// Why files in `directory` stay, and what mends that; nothing if they do not. `keeper`
/// is the unit that a drop-in would be for.
std::optional<std::string> why_files_stay(const upcase::client_directory& directory,
                                          const upcase::service_unit& keeper);

/// The same for the daemon of `service`, whose sandbox this process does not share.
std::optional<std::string> why_files_stay(const upcase::client_directory& directory,
                                          const unit& service);

/// In the log, a line a directory.
void tell_kept_files(upcase::log& journal, const std::vector<upcase::client_directory>& all,
                     const upcase::service_unit& keeper);

}  // namespace upcased
