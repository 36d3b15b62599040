// journal_log: one datagram an event.

#include <upcase/journal_log.hpp>

#include <cerrno>
#include <fmt/format.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <upcase/message_id.hpp>
#include <upcase/stderr_log.hpp>
#include <upcase/system_calls.hpp>

namespace upcase {
namespace {

// NAME, newline, length as 64 bits with the lowest byte first, bytes, newline.
void append(std::string& message, std::string_view name, std::string_view value) {
  message.append(name) += '\n';
  for (unsigned shift = 0; shift < 64; shift += 8) {
    message += static_cast<char>(std::uint64_t{value.size()} >> shift & 0xFFU);
  }
  message.append(value) += '\n';
}

std::string field_name(event what, std::string_view key) {
  const bool of_client = what != event::status && (key == "uid" || key == "pid" || key == "path");
  std::string name = of_client ? "UPCASED_CLIENT_" : "UPCASED_";
  for (const char c : key) {
    // In ASCII, whatever the locale is.
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c;
  }
  return name;
}

sockaddr_un address_of(const std::string& path) {
  const auto address = socket_address(path);
  if (!address) {
    throw std::system_error(ENAMETOOLONG, std::generic_category(), path);
  }
  return *address;
}

}  // namespace

journal_log::journal_log(const std::string& socket)
    : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
      journal_(address_of(socket)) {
  if (!socket_) {
    throw std::system_error(errno, std::generic_category(), "socket");
  }
  // What the journal has not read yet is counted here; the more may be under
  // way, the less is dropped in a burst. The kernel gives what it allows.
  constexpr int wanted = 8 << 20;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
}

void journal_log::do_write(log_level level, event what, log_fields fields) {
  const std::size_t dropped = dropped_.exchange(0);
  std::string line = format_event(what, fields);
  std::string message;
  append(message, "PRIORITY", fmt::to_string(syslog_priority(level)));
  append(message, "SYSLOG_IDENTIFIER", program_invocation_short_name);
  append(message, "MESSAGE_ID", message_id(what, fields));
  append(message, "UPCASED_EVENT", to_string(what));
  for (const log_field& field : fields) {
    append(message, field_name(what, field.key), field.value);
  }
  if (dropped != 0) {
    line += fmt::format(" dropped-lines={}", dropped);
    append(message, "UPCASED_DROPPED_LINES", fmt::to_string(dropped));
  }
  append(message, "MESSAGE", line);
  if (!send(message)) {
    dropped_ += dropped + 1;
  }
}

// Addressed each time, not connected once: a journald that was restarted is
// found again.
bool journal_log::send(const std::string& message) const noexcept {
  return ::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL,
                  as_sockaddr(journal_), sizeof journal_) >= 0;
}

std::unique_ptr<log> open_log() {
  // Where a sandbox hides the journal's socket, its stream still works.
  if (stderr_is_journal() && ::access(journal_log::default_socket, W_OK) == 0) {
    return std::make_unique<journal_log>();
  }
  return std::make_unique<stderr_log>();
}

}  // namespace upcase
