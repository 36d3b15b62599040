// explanation: each failure's cause, as far as a client can know it.

#include "explanation.hpp"

#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <sysexits.h>
#include <thread>
#include <unistd.h>
#include <upcase/service_unit.hpp>
#include <upcase/setting_values.hpp>
#include <upcase/system_calls.hpp>

#include "server_unit.hpp"

namespace upcase_client {
namespace {

// "user alice, uid 1000"
std::string ourselves() {
  return fmt::format("user {}, uid {}", upcase::format_user(::geteuid()), ::geteuid());
}

std::string who_may_connect(const command& asked) {
  const upcase::service_unit unit = upcase::unit_of(asked.socket);
  return unit.kept_by == upcase::service_unit::manager::none
             ? "the daemon's 'socket-mode' setting"
             : fmt::format("SocketMode= of its unit ('{} edit {}.socket')",
                           unit.command("systemctl"), unit.name);
}

std::string about_client_directory(int error, const command& asked) {
  const std::string& directory = asked.client_directory.native();
  switch (error) {
    case EROFS:
      return fmt::format(
          "; it is read-only for this process: if a service runs it, that "
          "service's unit needs 'ReadWritePaths={}'",
          directory);
    case EACCES:
    case EPERM:
      return fmt::format(
          "; the modes there ('ls -ld {}'; the daemon makes it with 1733) or, in a "
          "service, the unit's sandbox forbid it ({})",
          directory, ourselves());
    case ENAMETOOLONG:
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
      return fmt::format(
          "; the daemon's 'client-directory' setting says where (now '{}'), name "
          "it with --client-directory or $UPCASED_CLIENT_DIRECTORY",
          directory);
    default:
      return "";
  }
}

// The daemon may remove the file on another thread, a moment after it closed the
// connection.
bool file_stays(const upcase::client_socket& socket) {
  constexpr std::chrono::milliseconds step{20};
  for (std::chrono::milliseconds waited{0}; waited < std::chrono::milliseconds{300};
       waited += step) {
    if (!socket.has_file()) {
      return false;
    }
    std::this_thread::sleep_for(step);
  }
  return socket.has_file();
}

// Nothing came back, and our file is where it was.
explanation explain_not_taken_in(const upcase::relay_result& result, const command& asked,
                                 const upcase::client_socket& socket, bool half_closed) {
  if (!socket.server_is_there()) {
    return {EX_UNAVAILABLE, fmt::format("the daemon at '{}' ended before it took us in; {}",
                                        asked.socket.native(), how_to_start(asked.socket))};
  }
  if (half_closed) {
    return {
        EX_UNAVAILABLE,
        fmt::format("the daemon at '{}' is stopping and takes nobody in; try again later, or {}",
                    asked.socket.native(), how_to_start(asked.socket))};
  }
  // Once an empty input has ended, a stop looks like a refusal; it meets newcomers
  // only where the listening socket is the service manager's.
  const bool may_be_stopping =
      result.how == upcase::relay_result::outcome::done && is_service_manager(socket.server());
  return {EX_NOPERM,
          fmt::format("the daemon at '{}' ended the connection without an answer and left our "
                      "socket file '{}' where it was: it refused us ({}){}, or it ended us later "
                      "and does not remove such files; its log has a line 'deny uid={}' or 'end' "
                      "with the reason: {}",
                      asked.socket.native(), socket.path(), ourselves(),
                      may_be_stopping ? ", or is stopping" : "", ::geteuid(),
                      where_the_log_is(asked.socket, socket.server()))};
}

}  // namespace

explanation explain(const upcase::connect_error& error, const command& asked) {
  using kind = upcase::connect_error::kind;
  switch (error.why) {
    case kind::no_daemon:
      return {EX_UNAVAILABLE, fmt::format("{}; {}, or name another socket with --socket",
                                          error.what(), how_to_start(asked.socket))};
    case kind::forbidden:
      return {EX_NOPERM, fmt::format("{}; {}, and the directories on the way, say who may ({})",
                                     error.what(), who_may_connect(asked), ourselves())};
    case kind::client_directory:
      return {EX_OSERR, error.what() + about_client_directory(error.error, asked)};
    case kind::timed_out:
      return {EX_TEMPFAIL, error.what()};
    case kind::system:
      break;
  }
  return {EX_OSERR, error.what()};
}

explanation explain(const upcase::relay_result& result, const command& asked,
                    const upcase::client_socket& socket) {
  using outcome = upcase::relay_result::outcome;
  const bool closed = result.how == outcome::done || result.how == outcome::cut_off;
  if (closed && result.answered == 0) {
    const bool half_closed = !result.reset && socket.is_half_closed();  // before waiting
    if (file_stays(socket)) {
      return explain_not_taken_in(result, asked, socket, half_closed);
    }
  }
  switch (result.how) {
    case outcome::done:
      return {};
    case outcome::cut_off:
      return {EX_IOERR, fmt::format("the daemon ended the connection after {} of {} bytes sent "
                                    "had come back; its log has a line 'end uid={}' with the "
                                    "reason: {}",
                                    result.answered, result.sent, ::geteuid(),
                                    where_the_log_is(asked.socket, socket.server()))};
    case outcome::surplus:
      return {EX_IOERR, fmt::format("the daemon at '{}' answered with more than the {} bytes that "
                                    "it was sent; nothing beyond them is printed",
                                    asked.socket.native(), result.sent)};
    case outcome::timed_out:
      return {EX_TEMPFAIL,
              fmt::format("nothing moved for {}; {} of {} bytes sent had come back",
                          upcase::format_duration(asked.timeout), result.answered, result.sent)};
    case outcome::input_failed:
      return {EX_IOERR,
              fmt::format("cannot read standard input: {}", upcase::describe(result.error))};
    case outcome::output_failed:
      break;
  }
  return {EX_IOERR,
          fmt::format("cannot write to standard output: {}", upcase::describe(result.error))};
}

explanation explain_other_server(const command& asked, uid_t server) {
  return {EX_NOPERM, fmt::format("the daemon at '{}' is run by {}, not by {}; nothing was sent",
                                 asked.socket.native(), upcase::format_user(server),
                                 upcase::format_user(*asked.server_user))};
}

}  // namespace upcase_client
