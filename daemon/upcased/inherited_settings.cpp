// inherited_settings: print_settings into a memfd, and back.

#include "inherited_settings.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/sealed_memory.hpp>
#include <upcase/setting_keys.hpp>
#include <upcase/settings_loader.hpp>
#include <upcase/system_calls.hpp>
#include <utility>
#include <vector>

namespace upcased {
namespace {

// Far more than any sensible configuration has.
constexpr std::size_t largest = 1U << 20U;

std::optional<std::string> read_sealed(int memory) {
  struct stat status {};
  if (!upcase::is_sealed(memory) || ::fstat(memory, &status) != 0 ||
      static_cast<std::size_t>(status.st_size) > largest) {
    return std::nullopt;
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  // Memory is read whole or not at all.
  const ssize_t got = ::pread(memory, text.data(), text.size(), 0);
  return got == status.st_size ? std::optional(std::move(text)) : std::nullopt;
}

// A value that cannot be understood must not pass: it may be a rule that keeps
// somebody out.
void take(const upcase::assignment& line, upcase::settings& into, upcase::log& journal,
          std::vector<std::string>& problems) {
  const upcase::setting_key* const key = upcase::find_setting(line.key);
  if (key == nullptr) {
    journal.write(upcase::log_level::warning, upcase::event::status,
                  {{"inherited-setting", "ignored"},
                   {"name", line.key},
                   {"reason", "this version does not know it"}});
    return;
  }
  try {
    key->set(into, line.value);
  } catch (const upcase::bad_value& wrong) {
    problems.push_back(
        fmt::format("{}: {}: '{}': {}", line.where, line.key, line.value, wrong.what()));
  }
}

}  // namespace

upcase::file_descriptor pack_settings(const upcase::settings& value, upcase::log& journal) {
  const std::string text = upcase::print_settings(value, upcase::users_by::number);
  upcase::file_descriptor result = upcase::make_sealable_memory("upcased-settings");
  if (!result ||
      ::write(result.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      !upcase::seal(result.get())) {
    journal.write(upcase::log_level::warning, upcase::event::status,
                  {{"hand-over", "without-settings"}, {"reason", upcase::describe(errno)}});
    return {};
  }
  return result;
}

std::optional<upcase::settings> unpack_settings(int packed, const upcase::settings& defaults,
                                                upcase::log& journal) {
  upcase::settings result = defaults;
  for (const upcase::setting_key& key : upcase::setting_keys()) {
    if (key.repeatable()) {
      key.clear(result);
    }
  }
  std::vector<std::string> problems;
  if (const auto text = read_sealed(packed)) {
    for (const auto& line :
         upcase::parse_settings_text(*text, "settings of the predecessor", problems)) {
      take(line, result, journal, problems);
    }
  } else {
    problems.emplace_back("the settings of the predecessor cannot be read");
  }
  for (const std::string& problem : problems) {
    journal.write(upcase::log_level::error, upcase::event::status,
                  {{"inherited-settings", "refused"}, {"problem", problem}});
  }
  if (!problems.empty()) {
    return std::nullopt;
  }
  result.max_clients =
      std::min(result.max_clients, upcase::clients_that_fit(upcase::descriptor_limit(), result));
  return result;
}

}  // namespace upcased
