// complaint: what is wrong where nobody is served: a sentence for people, and in the
// journal an event that its catalogue explains.

#pragma once

#include <string>
#include <upcase/log.hpp>
#include <upcase/settings_loader.hpp>

namespace upcased {

void complain(upcase::log& journal, const std::string& sentence, upcase::log_fields fields);

/// Each of its problems, which there must be. Returns the exit code that they mean.
int complain_about(upcase::log& journal, const upcase::loaded_settings& refused);

}  // namespace upcased
