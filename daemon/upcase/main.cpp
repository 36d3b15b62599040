// upcase: the bundled client. Connects, relays, and says what became of it:
// each failure in one sentence with what to do next, and an exit code of
// sysexits.h.

#include <csignal>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <string_view>
#include <sysexits.h>
#include <unistd.h>
#include <upcase/client_socket.hpp>
#include <upcase/relay.hpp>
#include <upcase/setting_values.hpp>
#include <upcase/standard_streams.hpp>
#include <upcase/system_calls.hpp>

#include "options.hpp"
#include "progress.hpp"
#include "socket_cleanup.hpp"

namespace {

using upcase_client::command;

int fail(int code, std::string_view sentence) {
  upcase::complain(fmt::format("upcase: {}", sentence));
  return code;
}

int print(const std::string& text) {
  fmt::print("{}", text);
  return upcase::flush_output() ? EX_OK : fail(EX_IOERR, "cannot write to standard output");
}

int explain(const upcase::connect_error& error, const command& asked) {
  using kind = upcase::connect_error::kind;
  switch (error.why) {
    case kind::no_daemon:
      return fail(EX_UNAVAILABLE,
                  fmt::format("{}; start one with 'systemctl start upcased' or, as yourself, "
                              "'upcased', or name its socket with --socket",
                              error.what()));
    case kind::forbidden:
      return fail(EX_NOPERM,
                  fmt::format("{}; the daemon's 'socket-mode' setting, and the "
                              "directories on the way, say who may (user {}, uid {})",
                              error.what(), upcase::format_user(::geteuid()), ::geteuid()));
    case kind::client_directory:
      return fail(EX_OSERR, fmt::format("{}; the daemon's 'client-directory' setting says where "
                                        "(now '{}'), name it with --client-directory",
                                        error.what(), asked.client_directory.native()));
    case kind::timed_out:
      return fail(EX_TEMPFAIL, error.what());
    case kind::system:
      break;
  }
  return fail(EX_OSERR, error.what());
}

int explain_refusal(const command& asked, const upcase::client_socket& socket) {
  return fail(
      EX_NOPERM,
      fmt::format("the daemon at '{}' ended the connection without an answer and left our socket "
                  "file '{}' where it was: it refused us (user {}, uid {}), or it ended us later "
                  "and does not remove such files; its log has a line 'deny uid={}' or 'end' with "
                  "the reason: 'journalctl -u upcased', or the terminal where it runs",
                  asked.socket.native(), socket.path(), upcase::format_user(::geteuid()),
                  ::geteuid(), ::geteuid()));
}

int explain(const upcase::relay_result& result, const command& asked,
            const upcase::client_socket& socket) {
  using outcome = upcase::relay_result::outcome;
  const bool closed = result.how == outcome::done || result.how == outcome::cut_off;
  if (closed && result.answered == 0 && socket.has_file()) {
    return explain_refusal(asked, socket);
  }
  const auto reason = [&] { return upcase::describe(result.error); };
  switch (result.how) {
    case outcome::done:
      return EX_OK;
    case outcome::cut_off:
      return fail(EX_IOERR, fmt::format("the daemon ended the connection after {} of {} bytes sent "
                                        "had come back; its log has a line 'end uid={}' with the "
                                        "reason",
                                        result.answered, result.sent, ::geteuid()));
    case outcome::timed_out:
      return fail(
          EX_TEMPFAIL,
          fmt::format("nothing moved for {}; {} of {} bytes sent had come back",
                      upcase::format_duration(asked.timeout), result.answered, result.sent));
    case outcome::input_failed:
      return fail(EX_IOERR, fmt::format("cannot read standard input: {}", reason()));
    case outcome::output_failed:
      break;
  }
  return fail(EX_IOERR, fmt::format("cannot write to standard output: {}", reason()));
}

int talk(const command& asked) {
  std::optional<upcase::client_socket> socket;
  {
    const upcase_client::signals_held held;
    socket.emplace(asked.socket, asked.client_directory);
    upcase_client::remove_on_signal(socket->path());
  }
  socket->connect(asked.timeout);
  if (const auto server = socket->server(); asked.server_user && server.uid != *asked.server_user) {
    return fail(EX_NOPERM, fmt::format("the daemon at '{}' is run by {}, not by {}; nothing was "
                                       "sent",
                                       asked.socket.native(), upcase::format_user(server.uid),
                                       upcase::format_user(*asked.server_user)));
  }
  upcase::relay_options options{.socket = socket->fd(),
                                .text = asked.text,
                                .input = STDIN_FILENO,
                                .output = STDOUT_FILENO,
                                .timeout = asked.timeout,
                                .progress = {}};
  std::optional<upcase_client::progress> shown;
  if (asked.progress) {
    shown.emplace(asked.text ? asked.text->size() : upcase_client::bytes_to_read(STDIN_FILENO));
    options.progress = [&shown](std::uint64_t answered) { shown->update(answered); };
  }
  const upcase::relay_result result = upcase::relay(options);
  shown.reset();
  return explain(result, asked, *socket);
}

}  // namespace

int main(int argc, char** argv) {
  if (!upcase::occupy_standard_streams()) {
    return EX_OSERR;
  }
  std::optional<command> asked;
  try {
    asked = upcase_client::parse_command_line(argc, argv);
    if (asked->what == command::action::help) {
      return print(upcase_client::help_text());
    }
    if (asked->what == command::action::version) {
      return print(fmt::format("upcase {}\n", UPCASE_VERSION));
    }
    // A reader that goes away is an error that we report, not a silent death
    // that leaves the socket file behind.
    if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
      return fail(EX_OSERR, "cannot ignore SIGPIPE");
    }
    return talk(*asked);
  } catch (const upcase_client::usage_error& error) {
    return fail(EX_USAGE, fmt::format("{}; see 'upcase --help'", error.what()));
  } catch (const upcase::connect_error& error) {
    return explain(error, *asked);
  } catch (const std::exception& error) {
    return fail(EX_OSERR, error.what());
  }
}
