// setting_keys: the one table of all settings.
//
// Command line, configuration file, --print-config and --help are all made
// from it, so that none of them can know a setting that another does not.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <upcase/settings.hpp>
#include <vector>

namespace upcase {

struct setting_key {
  std::string_view name;      ///< `idle-timeout`; `--idle-timeout` on a command line
  std::string_view argument;  ///< what stands for the value in --help
  std::string_view help;
  /// Takes the text into the settings; a repeatable key adds to its list.
  /// Throws bad_value.
  void (*set)(settings&, std::string_view text);
  /// One text for each time that the key must be written to get this value.
  std::vector<std::string> (*print)(const settings&);
  /// Empties the list of a repeatable key; null for the others.
  void (*clear)(settings&) = nullptr;
  /// As `print`, but asks no name service; null where `print` asks none.
  std::vector<std::string> (*print_numbers)(const settings&) = nullptr;

  [[nodiscard]] bool repeatable() const noexcept { return clear != nullptr; }
};

/// In the order in which people read them.
std::span<const setting_key> setting_keys() noexcept;

/// Null if there is no such key.
const setting_key* find_setting(std::string_view name) noexcept;

/// The known key that was probably meant by a misspelt one; may be empty.
std::string_view nearest_setting(std::string_view name);

enum class users_by { name, number };

/// The whole of it as a configuration file that loads back to the same value.
/// By number, no name service is asked, now or when it is read.
std::string print_settings(const settings& value, users_by what = users_by::name);

}  // namespace upcase
