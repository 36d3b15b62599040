// upcase: the bundled client. Connects, relays, and says what became of it.

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
#include <upcase/standard_streams.hpp>

#include "explanation.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "socket_cleanup.hpp"

namespace {

using upcase_client::command;
using upcase_client::explanation;

int fail(int code, std::string_view sentence) {
  upcase::complain(fmt::format("upcase: {}", sentence));
  return code;
}

int print(const std::string& text) {
  fmt::print("{}", text);
  return upcase::flush_output() ? EX_OK : fail(EX_IOERR, "cannot write to standard output");
}

// Our socket, whose file goes with us, by whatever signal we end.
class own_socket {
 public:
  explicit own_socket(const command& asked) {
    const upcase_client::signals_held held;
    socket_.emplace(asked.socket, asked.client_directory);
    upcase_client::remove_on_signal(socket_->file());
  }
  own_socket(const own_socket&) = delete;
  own_socket& operator=(const own_socket&) = delete;
  ~own_socket() {
    const upcase_client::signals_held held;
    upcase_client::remove_on_signal({});
    socket_.reset();
  }
  upcase::client_socket* operator->() { return &*socket_; }
  upcase::client_socket& operator*() { return *socket_; }

 private:
  std::optional<upcase::client_socket> socket_;
};

explanation talk(const command& asked) {
  own_socket socket(asked);
  socket->connect(asked.timeout);
  if (const auto server = socket->server(); asked.server_user && server.uid != *asked.server_user) {
    return explain_other_server(asked, server.uid);
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

// The socket's file is gone before the sentence is written, which may take as
// long as the reader likes.
explanation outcome_of(const command& asked) {
  try {
    return talk(asked);
  } catch (const upcase::connect_error& error) {
    return explain(error, asked);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (!upcase::occupy_standard_streams()) {
    return EX_OSERR;
  }
  try {
    const command asked = upcase_client::parse_command_line(argc, argv);
    if (asked.what == command::action::help) {
      return print(upcase_client::help_text());
    }
    if (asked.what == command::action::version) {
      return print(fmt::format("upcase {}\n", UPCASE_VERSION));
    }
    // A reader that goes away is an error that we report, not a silent death
    // that leaves the socket file behind.
    if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
      return fail(EX_OSERR, "cannot ignore SIGPIPE");
    }
    const explanation result = outcome_of(asked);
    return result.code == EX_OK ? EX_OK : fail(result.code, result.sentence);
  } catch (const upcase_client::usage_error& error) {
    return fail(EX_USAGE, fmt::format("{}; see 'upcase --help'", error.what()));
  } catch (const std::exception& error) {
    return fail(EX_OSERR, error.what());
  }
}
