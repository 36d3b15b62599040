// setting_values: numbers by std::from_chars, which neither skips blanks nor
// takes signs nor wraps around; names by the system's own data bases.

#include <upcase/setting_values.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <grp.h>
#include <limits>
#include <optional>
#include <pwd.h>
#include <type_traits>
#include <upcase/system_calls.hpp>
#include <vector>

namespace upcase {
namespace {

struct unit {
  std::string_view name;
  duration length;
};

using namespace std::chrono_literals;

// From the largest to the smallest: format_duration takes the first that fits.
constexpr std::array<unit, 6> units{{
    {"d", 24h},
    {"h", 1h},
    {"min", 1min},
    {"s", 1s},
    {"ms", 1ms},
    {"us", 1us},
}};

constexpr duration longest = 10 * 365 * 24h;

struct number {
  bool overflow = false;
  std::size_t value = 0;
  std::string_view rest;
};

// Leading digits, or nothing if there are none.
std::optional<number> leading_number(std::string_view text, int base = 10) {
  number result;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), result.value, base);
  if (error == std::errc::invalid_argument) {
    return std::nullopt;
  }
  result.overflow = error == std::errc::result_out_of_range;
  result.rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return result;
}

std::optional<std::size_t> whole_number(std::string_view text, int base = 10) {
  const auto found = leading_number(text, base);
  if (!found || found->overflow || !found->rest.empty()) {
    return std::nullopt;
  }
  return found->value;
}

// Of several that mean so (getpwnam(3)). A name service that is absent may say
// ENOENT too, which cannot be told apart.
bool means_not_found(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

// getpwnam_r(3) and its kin differ only in their types.
template <typename Record, typename Key>
std::optional<Record> look_up(int (*function)(Key, Record*, char*, std::size_t, Record**), Key key,
                              std::vector<char>& storage) {
  // A group of a million members has room in it.
  constexpr std::size_t largest_record = std::size_t{64} << 20U;
  storage.resize(1024);
  for (;;) {
    Record record{};
    Record* found = nullptr;
    const int error = function(key, &record, storage.data(), storage.size(), &found);
    if (found != nullptr) {
      return record;
    }
    if (error == ERANGE && storage.size() < largest_record) {
      storage.resize(storage.size() * 2);
      continue;
    }
    if (means_not_found(error)) {
      return std::nullopt;
    }
    throw unavailable_value(fmt::format("cannot be looked up: {}", describe(error)));
  }
}

// The all-ones id means "no change" to chown(2) and nobody to everything else.
template <typename Id>
std::optional<Id> parse_id(std::string_view text) {
  const auto value = whole_number(text);
  if (!value || *value >= std::numeric_limits<Id>::max()) {
    return std::nullopt;
  }
  return static_cast<Id>(*value);
}

void refuse_negative(std::string_view text) {
  if (text.starts_with('-')) {
    throw bad_value("cannot be negative");
  }
}

}  // namespace

duration parse_duration(std::string_view text) {
  refuse_negative(text);
  const auto found = leading_number(text);
  if (!found) {
    throw bad_value("a time is a number and a unit, such as 500ms, 30s or 5min");
  }
  if (found->rest.empty() && found->value == 0 && !found->overflow) {
    return duration::zero();
  }
  if (found->rest.empty()) {
    throw bad_value("the unit is missing: us, ms, s, min, h or d, as in 30s");
  }
  for (const unit& u : units) {
    if (u.name == found->rest) {
      if (found->overflow || found->value > static_cast<std::size_t>(longest / u.length)) {
        throw bad_value("longer than ten years; 0 turns a limit off");
      }
      return static_cast<duration::rep>(found->value) * u.length;
    }
  }
  throw bad_value(fmt::format("'{}' is no unit; use us, ms, s, min, h or d", found->rest));
}

std::string format_duration(duration value) {
  for (const unit& u : units) {
    if (value != duration::zero() && value % u.length == duration::zero()) {
      return fmt::format("{}{}", value / u.length, u.name);
    }
  }
  return "0";
}

std::size_t parse_count(std::string_view text, std::size_t least, std::size_t most) {
  refuse_negative(text);
  const auto value = whole_number(text);
  if (!value || *value < least || *value > most) {
    throw bad_value(fmt::format("give a whole number from {} to {}", least, most));
  }
  return *value;
}

mode_t parse_mode(std::string_view text) {
  constexpr std::size_t all_permissions = 0777;
  const auto value = whole_number(text, 8);
  if (!value || *value > all_permissions) {
    throw bad_value("give octal permission bits from 0000 to 0777, such as 0660");
  }
  return static_cast<mode_t>(*value);
}

std::string format_mode(mode_t mode) { return fmt::format("{:04o}", mode); }

std::filesystem::path parse_path(std::string_view text) {
  if (!text.starts_with('/')) {
    throw bad_value("give an absolute path, one that begins with '/'");
  }
  if (std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7F; })) {
    throw bad_value("a path with a control character cannot be written in a configuration file");
  }
  std::filesystem::path path = std::filesystem::path(text).lexically_normal();
  if (!path.has_filename() && path.has_relative_path()) {
    path = path.parent_path();
  }
  // Now, for "/a /" ends in one only without its slash.
  if (path.native().ends_with(' ')) {
    throw bad_value("a path with a blank at its end cannot be written in a configuration file");
  }
  return path;
}

uid_t parse_user(std::string_view text) {
  if (const auto id = parse_id<uid_t>(text)) {
    return *id;
  }
  std::vector<char> storage;
  const std::string name(text);
  if (const auto user = look_up<passwd, const char*>(::getpwnam_r, name.c_str(), storage)) {
    return user->pw_uid;
  }
  throw bad_value("no such user; give a user's name or number that 'getent passwd' knows");
}

gid_t parse_group(std::string_view text) {
  if (const auto id = parse_id<gid_t>(text)) {
    return *id;
  }
  std::vector<char> storage;
  const std::string name(text);
  if (const auto found = look_up<group, const char*>(::getgrnam_r, name.c_str(), storage)) {
    return found->gr_gid;
  }
  throw bad_value("no such group; give a group's name or number that 'getent group' knows");
}

std::string format_user(uid_t uid) try {
  std::vector<char> storage;
  if (const auto user = look_up<passwd, uid_t>(::getpwuid_r, uid, storage)) {
    std::string name = user->pw_name;
    if (const auto back = look_up<passwd, const char*>(::getpwnam_r, name.c_str(), storage);
        back && back->pw_uid == uid && !parse_id<uid_t>(name)) {
      return name;
    }
  }
  return fmt::format("{}", uid);
} catch (const unavailable_value&) {
  return fmt::format("{}", uid);
}

std::string format_group(gid_t gid) try {
  std::vector<char> storage;
  if (const auto found = look_up<group, gid_t>(::getgrgid_r, gid, storage)) {
    std::string name = found->gr_name;
    if (const auto back = look_up<group, const char*>(::getgrnam_r, name.c_str(), storage);
        back && back->gr_gid == gid && !parse_id<gid_t>(name)) {
      return name;
    }
  }
  return fmt::format("{}", gid);
} catch (const unavailable_value&) {
  return fmt::format("{}", gid);
}

}  // namespace upcase
