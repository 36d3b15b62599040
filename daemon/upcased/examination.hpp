// examination: --check and --print-config.

#pragma once

#include <upcase/log.hpp>

#include "options.hpp"

namespace upcased {

/// Does the one that is asked for, and says for which daemon. Returns the exit code;
/// throws usage_error or start_error.
int examine(const command& asked, upcase::log& journal);

}  // namespace upcased
