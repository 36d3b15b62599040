// stderr_log: how a line looks, and writing it without waiting.

#include <upcase/stderr_log.hpp>

#include <array>
#include <chrono>
#include <climits>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <poll.h>
#include <sys/socket.h>
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

mode_t kind_of_stderr() noexcept {
  struct stat status {};
  return ::fstat(STDERR_FILENO, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

// Standard error is shared with whoever started us, and so is its blocking
// mode; opened anew it has one of our own.
file_descriptor open_own_stderr() noexcept {
  if (kind_of_stderr() != S_IFIFO && ::isatty(STDERR_FILENO) == 0) {
    return {};
  }
  return file_descriptor(
      ::open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
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
                                           : style::plain),
      own_(open_own_stderr()),
      is_socket_(kind_of_stderr() == S_IFSOCK) {}

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
  if (torn_) {
    line.insert(0, 1, '\n');
  }
  if (dropped_ > 1) {
    line += fmt::format(" dropped-lines={}", dropped_ - 1);
  }
  line += '\n';
  // A pipe takes so much whole or not at all (pipe(7)); our lines are shorter,
  // and the rare longer one is cut.
  if (line.size() > PIPE_BUF) {
    line.resize(PIPE_BUF - 1);
    line += '\n';
  }
  const ssize_t taken = put(line);
  if (taken > 0) {
    torn_ = static_cast<std::size_t>(taken) < line.size();
    dropped_ = torn_ ? 1 : 0;
  }
}

ssize_t stderr_log::put(std::string_view bytes) const noexcept {
  if (own_) {
    return ::write(own_.get(), bytes.data(), bytes.size());
  }
  if (is_socket_) {
    return ::send(STDERR_FILENO, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  // A file never waits; of anything else a look beforehand is the best there is.
  pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) {
    return -1;
  }
  return ::write(STDERR_FILENO, bytes.data(), bytes.size());
}

}  // namespace upcase
