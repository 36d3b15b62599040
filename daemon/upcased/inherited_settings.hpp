// inherited_settings: what a predecessor served by, in a sealed memfd.
//
// A restart with an error in the configuration must not cost its clients: where
// the configured settings are refused, the next process goes on with these, as
// a refused reload would. They are text, a configuration file with users and
// groups by number, so that two versions understand each other and no name
// service is asked.

#pragma once

#include <optional>
#include <upcase/file_descriptor.hpp>
#include <upcase/log.hpp>
#include <upcase/settings.hpp>

namespace upcased {

/// None if the system refuses it, which is told.
upcase::file_descriptor pack_settings(const upcase::settings& value, upcase::log& journal);

/// What `packed` holds, over `defaults`; nothing, and the log says why, if it
/// cannot be read. A setting that this version does not know is ignored with a
/// warning. `max_clients` is lowered to what the limit of open files has room for.
std::optional<upcase::settings> unpack_settings(int packed, const upcase::settings& defaults,
                                                upcase::log& journal);

}  // namespace upcased
