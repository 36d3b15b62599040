// setting_values: what one setting's text means, and back.
//
// Each parser either returns the value or throws `bad_value` with one clause
// that says what is wrong with this text and what would be right; the caller
// knows the file, the line and the key, and puts them in front.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace upcase {

struct bad_value : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The text may be right, but what it names cannot be looked up for the moment.
struct unavailable_value : bad_value {
  using bad_value::bad_value;
};

using duration = std::chrono::nanoseconds;

/// "500us", "1500ms", "30s", "5min", "2h", "1d"; "0" needs no unit. At most
/// ten years, which no clock arithmetic of ours overflows.
duration parse_duration(std::string_view text);
/// In the largest unit that is exact, so that it parses back to the same.
std::string format_duration(duration value);

/// Decimal digits, between `least` and `most`.
std::size_t parse_count(std::string_view text, std::size_t least, std::size_t most);

/// File permission bits in octal, "0660" or "660".
mode_t parse_mode(std::string_view text);
std::string format_mode(mode_t mode);

/// An absolute path, returned without ".", ".." and doubled or trailing
/// slashes.
std::filesystem::path parse_path(std::string_view text);

/// A name known to the system (passwd(5), group(5), or NSS) or a number. Waits
/// for the name service, and throws unavailable_value where that fails.
uid_t parse_user(std::string_view text);
gid_t parse_group(std::string_view text);
/// The name if it leads back to the same number, else the number. Waits for the
/// name service.
std::string format_user(uid_t uid);
std::string format_group(gid_t gid);

}  // namespace upcase
