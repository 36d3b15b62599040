// life: start, second start, crash, stop. Nothing that was sent before a stop
// stays unanswered, and nothing in the file system is lost or left behind.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/pseudo_terminal.hpp"

namespace {

test::outcome start_again(const std::filesystem::path& socket,
                          const std::filesystem::path& clients) {
  return test::run({UPCASED_PROGRAM, "--config", "/dev/null", "--socket", socket,
                    "--client-directory", clients});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(life)

BOOST_AUTO_TEST_CASE(a_stop_leaves_no_socket_behind) {
  for (const int signal : {SIGTERM, SIGINT}) {
    test::daemon daemon;
    daemon.signal(signal);
    BOOST_TEST(daemon.wait().value_or(-1) == 0);
    BOOST_TEST(!std::filesystem::exists(daemon.socket()));
    BOOST_TEST(!std::filesystem::exists(daemon.socket().native() + ".lock"));
  }
}

BOOST_AUTO_TEST_CASE(a_second_one_is_told_and_the_first_goes_on) {
  const test::daemon daemon;
  const auto second = start_again(daemon.socket(), daemon.clients());
  BOOST_TEST(second.code == 69);
  BOOST_TEST(second.errors.find("already running") != std::string::npos);
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(a_killed_one_can_be_started_again) {
  test::daemon daemon;
  daemon.kill();
  BOOST_TEST(std::filesystem::exists(daemon.socket()));
  daemon.start();
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(a_file_in_the_sockets_place_is_not_touched) {
  const test::temporary_directory place;
  const auto path = place.path() / "upcased.sock";
  test::write_file(path, "precious");
  const auto refused = start_again(path, place.path() / "clients");
  BOOST_TEST(refused.code == 78);
  BOOST_TEST(refused.errors.find("not a socket") != std::string::npos);
  BOOST_TEST(test::read_file(path) == "precious");
}

BOOST_AUTO_TEST_CASE(directories_are_made_where_they_are_needed) {
  const test::temporary_directory place;
  const auto socket = place.path() / "s";
  const auto serve = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{UPCASED_PROGRAM, "--config", "/dev/null", "--socket", socket};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    test::process daemon({.argv = argv,
                          .environment = {"RUNTIME_DIRECTORY=" + (place.path() / "run").native()},
                          .errors = place.path() / "log"});
    BOOST_TEST(test::eventually([&] { return test::listens(socket) || !daemon.running(); }));
    daemon.signal(SIGTERM);
    BOOST_TEST(daemon.wait().value_or(-1) == 0, test::read_file(place.path() / "log"));
  };
  serve({});  // with its client directory beside where its socket would be
  BOOST_TEST(std::filesystem::is_directory(place.path() / "run" / "clients"));
  const auto elsewhere = place.path() / "elsewhere";
  serve({"--credentials", "kernel", "--client-directory", elsewhere});
  BOOST_TEST(!std::filesystem::exists(elsewhere));
}

BOOST_AUTO_TEST_CASE(a_log_that_nobody_reads_stops_nobody) {
  const test::temporary_directory place;
  const auto log = place.path() / "log";
  BOOST_REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  const upcase::file_descriptor reader(::open(log.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  BOOST_REQUIRE(::fcntl(reader.get(), F_SETPIPE_SZ, 4096) >= 4096);
  const auto socket = place.path() / "upcased.sock";
  const auto clients = place.path() / "clients";
  test::process daemon({.argv = {UPCASED_PROGRAM, "--config", "/dev/null", "--socket", socket,
                                 "--client-directory", clients},
                        .errors = log});
  BOOST_REQUIRE(test::eventually([&] { return test::listens(socket); }));
  // Some 300 bytes for each client: the pipe is full long before.
  for (int i = 0; i < 60; ++i) {
    BOOST_TEST(test::served(test::connect_client(socket, clients).get()));
  }
  // As soon as somebody reads again, it is told what was lost.
  std::string seen;
  BOOST_TEST(test::eventually([&] {
    BOOST_TEST(test::served(test::connect_client(socket, clients).get()));
    std::string part(4096, '\0');
    const ssize_t got = ::read(reader.get(), part.data(), part.size());
    seen += part.substr(0, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return seen.find(" dropped-lines=") != std::string::npos;
  }));
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_reader_of_the_log_that_goes_away_ends_nobody) {
  const test::temporary_directory place;
  const auto log = place.path() / "log";
  BOOST_REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  upcase::file_descriptor reader(::open(log.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  const auto socket = place.path() / "upcased.sock";
  const auto clients = place.path() / "clients";
  test::process daemon({.argv = {UPCASED_PROGRAM, "--config", "/dev/null", "--socket", socket,
                                 "--client-directory", clients},
                        .errors = log});
  BOOST_REQUIRE(test::eventually([&] { return test::listens(socket); }));
  reader.reset();
  BOOST_TEST(test::served(test::connect_client(socket, clients).get()));
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(without_standard_streams_no_client_gets_the_log) {
  const test::temporary_directory place;
  const auto socket = place.path() / "upcased.sock";
  const auto clients = place.path() / "clients";
  test::write_file(place.path() / "conf", "");
  test::process daemon(
      {.argv = {UPCASED_PROGRAM, "--config", place.path() / "conf", "--socket", socket,
                "--client-directory", clients},
       .before_exec = [] { return ::close(0) == 0 && ::close(1) == 0 && ::close(2) == 0; }});
  BOOST_REQUIRE(test::eventually([&] { return test::listens(socket); }));
  BOOST_TEST(test::served(test::connect_client(socket, clients).get()));
  daemon.signal(SIGHUP);
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(test::served(test::connect_client(socket, clients).get()));
  }
  for (const char* stream : {"0", "1", "2"}) {
    BOOST_TEST(std::filesystem::read_symlink("/proc/" + std::to_string(daemon.pid()) + "/fd/" +
                                             stream) == "/dev/null");
  }
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_terminal_that_nobody_reads_stops_nobody) {
  const test::temporary_directory place;
  const test::pseudo_terminal terminal;
  const auto socket = place.path() / "upcased.sock";
  const auto clients = place.path() / "clients";
  test::process daemon({.argv = {UPCASED_PROGRAM, "--config", "/dev/null", "--socket", socket,
                                 "--client-directory", clients, "--log-level", "debug"},
                        .errors = terminal.path()});
  BOOST_REQUIRE(test::eventually([&] { return test::listens(socket); }));
  for (int i = 0; i < 300; ++i) {
    BOOST_REQUIRE(test::served(test::connect_client(socket, clients).get()));
  }
  // What was lost is told as soon as somebody reads again.
  std::string seen = terminal.read();
  BOOST_TEST(test::eventually([&] {
    BOOST_TEST(test::served(test::connect_client(socket, clients).get()));
    seen += terminal.read();
    return seen.find("dropped-lines=") != std::string::npos;
  }));
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_drain_answers_full_pipes) {
  test::daemon daemon;
  std::vector<upcase::file_descriptor> clients;
  std::vector<std::string> sent;
  for (unsigned i = 0; i < 20; ++i) {
    clients.push_back(daemon.connect());
    sent.push_back(test::fill(clients.back().get(), i));
  }
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.logged("state=draining clients=20"));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    BOOST_TEST((test::receive_to_end(clients[i].get()) == test::reference_uppercase(sent[i])));
  }
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
  BOOST_TEST(daemon.count("reason=drained") == 20U);
}

BOOST_AUTO_TEST_CASE(who_waits_in_the_backlog_is_answered_too) {
  test::daemon daemon;
  daemon.signal(SIGSTOP);
  const auto client = daemon.connect();
  test::send_all(client.get(), "sent before the stop\n");
  daemon.signal(SIGTERM);
  daemon.signal(SIGCONT);
  BOOST_TEST(test::receive_to_end(client.get()) == "SENT BEFORE THE STOP\n");
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(while_it_stops_nobody_can_connect) {
  test::daemon daemon({.arguments = {"--max-clients", "1", "--drain-timeout", "1h"}});
  const auto client = daemon.connect();
  const std::string sent = test::fill(client.get(), 1);
  // So the stop waits for this one's place, too.
  const auto waiting = daemon.connect();
  test::send_all(waiting.get(), "sent before the stop\n");
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.logged("state=draining"));
  BOOST_TEST(test::eventually(
      [&] {
        try {
          daemon.connect();
          return false;
        } catch (const std::system_error& error) {
          return error.code() == std::errc::connection_refused;
        }
      },
      std::chrono::seconds(5)));
  BOOST_TEST((test::receive_to_end(client.get()) == test::reference_uppercase(sent)));
  BOOST_TEST(test::receive_to_end(waiting.get()) == "SENT BEFORE THE STOP\n");
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(drain_timeout_bounds_the_stop) {
  test::daemon daemon({.arguments = {"--drain-timeout", "500ms"}});
  const auto client = daemon.connect();
  test::fill(client.get(), 1);
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
  BOOST_TEST(daemon.logged("reason=aborted"));
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_it_at_once) {
  test::daemon daemon({.arguments = {"--drain-timeout", "1h"}});
  const auto client = daemon.connect();
  test::fill(client.get(), 1);
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.logged("state=draining"));
  BOOST_TEST(!daemon.wait(std::chrono::milliseconds(300)).has_value());
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_reload_ends_those_whom_it_denies) {
  test::daemon daemon({.config = "idle-timeout = 1h\n"});
  const auto client = daemon.connect();
  BOOST_TEST(test::served(client.get()));
  test::write_file(daemon.config(), "idle-timeout = 2h\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.logged("reload=done"));
  BOOST_TEST(test::served(client.get()));
  test::write_file(daemon.config(), "deny-user = " + std::to_string(::geteuid()) + '\n');
  BOOST_TEST(daemon.reload());
  BOOST_TEST(test::refused(client.get()));
  BOOST_TEST(daemon.logged("reason=denied"));
}

BOOST_AUTO_TEST_CASE(a_bad_reload_changes_nothing) {
  test::daemon daemon({.config = ""});
  const auto client = daemon.connect();
  test::write_file(daemon.config(), "deny-user = " + std::to_string(::geteuid()) +
                                        "\nidle-timeout = soon\nbackloog = 3\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.logged("upcased.conf:2: idle-timeout: 'soon'"));
  BOOST_TEST(daemon.logged("did you mean 'backlog'?"));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_SUITE_END()
