// settings: the defaults that depend on the machine.

#include <upcase/settings.hpp>

#include <algorithm>
#include <sys/resource.h>
#include <upcase/runtime_directory.hpp>

namespace upcase {

std::size_t reserved_descriptors(const settings& value) noexcept {
  constexpr std::size_t always = 30;
  return always + 3 * (value.threads - 1) + 2 * value.client_directories.size();
}

std::size_t clients_that_fit(std::size_t descriptors, const settings& value) noexcept {
  const std::size_t reserved = reserved_descriptors(value);
  return descriptors > reserved ? descriptors - reserved : 1;
}

std::size_t descriptor_limit() noexcept {
  // Where there is no limit to the process there is still the system's.
  constexpr rlim_t unlimited = 1U << 20U;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return std::min(limit.rlim_max, unlimited);
}

settings default_settings(const std::filesystem::path& runtime_directory) {
  settings defaults;
  defaults.socket = runtime_directory / socket_file_name;
  defaults.client_directories = {runtime_directory / client_directory_name};
  defaults.max_clients = clients_that_fit(descriptor_limit(), defaults);
  return defaults;
}

}  // namespace upcase
