// log_level: how much the log tells. A setting, so it stands below the log.

#pragma once

#include <cstdint>
#include <string_view>

namespace upcase {

enum class log_level : std::uint8_t { error, warning, info, debug };

constexpr std::string_view to_string(log_level level) noexcept {
  switch (level) {
    case log_level::error:
      return "error";
    case log_level::warning:
      return "warning";
    case log_level::info:
      return "info";
    case log_level::debug:
      break;
  }
  return "debug";
}

}  // namespace upcase
