// stderr_log: how a line looks, and writing it without waiting.

#include <upcase/stderr_log.hpp>

#include <array>
#include <chrono>
#include <climits>
#include <fmt/chrono.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/system_calls.hpp>

namespace upcase {
namespace {

// Red, yellow, green, grey.
constexpr std::array<int, 4> colours{31, 33, 32, 90};

std::string timestamp() {
  using namespace std::chrono;
  const auto now = floor<milliseconds>(system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(system_clock::to_time_t(now)),
                     now.time_since_epoch().count() % 1000);
}

}  // namespace

// systemd names the journal's end of our standard error as "device:inode" in
// JOURNAL_STREAM; a redirected one differs (systemd.exec(5)).
bool stderr_is_journal() {
  const std::string_view stream = environment("JOURNAL_STREAM");
  struct stat status {};
  return !stream.empty() && ::fstat(STDERR_FILENO, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

stderr_log::stderr_log()
    : style_(stderr_is_journal()           ? style::journal
             : wants_colour(STDERR_FILENO) ? style::coloured
                                           : style::plain) {}

void stderr_log::do_write(log_level level, event what, log_fields fields) {
  const std::scoped_lock lock(mutex_);
  ++dropped_;  // until it is written
  const std::string body = format_event(what, fields);
  const std::string_view name = to_string(level);
  switch (style_) {
    case style::journal:
      write_line(fmt::format("<{}>{}", syslog_priority(level), body));
      break;
    case style::coloured:
      write_line(fmt::format("{} \x1b[{}m{:<7}\x1b[0m {}", timestamp(),
                             colours.at(static_cast<std::size_t>(level)), name, body));
      break;
    case style::plain:
      write_line(fmt::format("{} {:<7} {}", timestamp(), name, body));
      break;
  }
}

void stderr_log::write_line(std::string line) {
  if (dropped_ > 1) {
    line += fmt::format(" dropped-lines={}", dropped_ - 1);
  }
  line += '\n';
  // A pipe that polls as writable takes PIPE_BUF bytes without blocking
  // (pipe(7)); our lines are shorter, and the rare longer one is cut.
  if (line.size() > PIPE_BUF) {
    line.resize(PIPE_BUF - 1);
    line += '\n';
  }
  pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  const bool written = ::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0 &&
                       ::write(STDERR_FILENO, line.data(), line.size()) > 0;
  if (written) {
    dropped_ = 0;
  }
}

}  // namespace upcase
