// settings: everything an administrator can decide, as one plain value.
//
// How the text of a file or a command line becomes this value stands in
// setting_keys.hpp (one table of all keys) and settings_loader.hpp (files,
// order, errors).

#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <upcase/access.hpp>
#include <upcase/credentials.hpp>
#include <upcase/log_level.hpp>
#include <upcase/setting_values.hpp>
#include <vector>

namespace upcase {

struct settings {
  std::filesystem::path socket;
  mode_t socket_mode = 0666;
  std::size_t backlog = 4096;
  std::vector<std::filesystem::path> client_directories;

  credential_policy credentials;
  access_rules access;

  std::size_t max_clients = 1;
  std::size_t max_clients_per_user = 0;  ///< 0: no limit

  duration idle_timeout = duration::zero();  ///< 0: never
  duration write_timeout = std::chrono::seconds(30);
  duration drain_timeout = std::chrono::seconds(10);  ///< 0: as long as it takes

  std::size_t threads = 1;
  /// How long an idle loop spins; 0: it sleeps at once; none: where it pays.
  std::optional<duration> busy_poll = duration::zero();
  log_level level = log_level::info;
};

/// Descriptors that the daemon keeps for itself with these settings: standard
/// streams, listener, configuration being read, files being examined, three for each further event
/// loop, and each client directory twice, as at a reload.
std::size_t reserved_descriptors(const settings& value) noexcept;

/// How many clients a hard RLIMIT_NOFILE of `descriptors` has room for with
/// these settings; at least one.
std::size_t clients_that_fit(std::size_t descriptors, const settings& value) noexcept;

/// The hard RLIMIT_NOFILE.
std::size_t descriptor_limit() noexcept;

/// What holds when nothing is configured, around the given runtime directory.
/// Without a word of configuration, `max_clients` is as many as fit.
settings default_settings(const std::filesystem::path& runtime_directory);

}  // namespace upcase
