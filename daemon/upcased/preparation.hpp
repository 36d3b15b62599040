// preparation: what must be there before a client can be served.

#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <upcase/client_directory.hpp>
#include <upcase/log.hpp>
#include <upcase/settings.hpp>
#include <vector>

#include "start_error.hpp"

namespace upcased {

/// At start and at each reload.
void tell_warnings(upcase::log& journal, const std::vector<std::string>& warnings);

/// To as many open files as the hard limit allows: each client is one.
void raise_descriptor_limit() noexcept;

/// What to do about something that cannot be had.
using on_problem = std::function<void(const start_error&)>;
inline void refuse(const start_error& problem) { throw start_error(problem); }

/// Makes the directories that have a place in the default layout; elsewhere the
/// administrator decides what exists.
void prepare_directories(const upcase::settings& config, const upcase::settings& defaults,
                         const on_problem& tell = refuse);

/// At start and at each reload; none where clients' files are no credential.
/// Where `tell` returns, the result is those that can be had: a client that
/// binds its file elsewhere is refused.
std::vector<upcase::client_directory> open_client_directories(const upcase::settings& config,
                                                              const on_problem& tell = refuse);

/// At start and at each reload: lets clients know where their files are wanted
/// (upcase/published_directory.hpp). Logs that it cannot.
void publish_client_directory(const std::filesystem::path& socket, const upcase::settings& config,
                              upcase::log& journal);

}  // namespace upcased
