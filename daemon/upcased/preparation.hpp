// preparation: what must be there before a client can be served.

#pragma once

#include <string>
#include <upcase/client_directory.hpp>
#include <upcase/log.hpp>
#include <upcase/settings.hpp>
#include <vector>

namespace upcased {

/// At start and at each reload.
void tell_warnings(upcase::log& journal, const std::vector<std::string>& warnings);

/// To as many open files as the hard limit allows: each client is one.
void raise_descriptor_limit() noexcept;

/// Makes the directories that have a place in the default layout; elsewhere the
/// administrator decides what exists. Throws start_error.
void prepare_directories(const upcase::settings& config, const upcase::settings& defaults);

/// At start and at each reload; none where clients' files are no credential.
/// Throws start_error.
std::vector<upcase::client_directory> open_client_directories(const upcase::settings& config);

}  // namespace upcased
