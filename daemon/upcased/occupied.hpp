// occupied: whether somebody serves already where this process is to listen.

#pragma once

#include <filesystem>

namespace upcased {

/// Throws where somebody does: start_error, which names the unit whose daemon or whose
/// socket it is, else upcase::listen_error. Disturbs nobody and starts no service.
void refuse_if_served(const std::filesystem::path& socket);

}  // namespace upcased
