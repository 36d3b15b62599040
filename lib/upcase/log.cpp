// log: the words and the line.

#include <upcase/log.hpp>

#include <iterator>
#include <syslog.h>
#include <upcase/escape.hpp>

namespace upcase {

std::string_view to_string(event what) noexcept {
  switch (what) {
    case event::allow:
      return "allow";
    case event::deny:
      return "deny";
    case event::end:
      return "end";
    case event::status:
      break;
  }
  return "status";
}

void log::write(log_level level, event what, log_fields fields) noexcept {
  if (!tells(level)) {
    return;
  }
  try {
    do_write(level, what, fields);
  } catch (...) {
    // No memory for the line.
  }
}

int syslog_priority(log_level level) noexcept {
  switch (level) {
    case log_level::error:
      return LOG_ERR;
    case log_level::warning:
      return LOG_WARNING;
    case log_level::info:
      return LOG_INFO;
    case log_level::debug:
      break;
  }
  return LOG_DEBUG;
}

std::string format_event(event what, log_fields fields) {
  std::string line(to_string(what));
  for (const log_field& field : fields) {
    fmt::format_to(std::back_inserter(line), " {}={}", field.key, escape(field.value));
  }
  return line;
}

}  // namespace upcase
