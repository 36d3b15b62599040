// handover_signals: what a daemon is told while it hands over. Each moment is held
// for as long as the test needs it: the check of the new program and its start by
// a script, the gathering of the clients by stopping the event loops, the store by
// a service manager that does not answer.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <initializer_list>
#include <string>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"
#include "support/stopped_threads.hpp"
#include "support/successor.hpp"

namespace {

using namespace std::chrono_literals;
using test::bring_in;

// A place in a script where it waits until it may go on.
class gate {
 public:
  explicit gate(const std::filesystem::path& where) : reached_(where), open_(where) {
    reached_ += ".reached";
    open_ += ".open";
  }

  [[nodiscard]] std::string script() const {
    return fmt::format("echo $$ >>'{}'; until [ -e '{}' ]; do sleep 0.01; done", reached_.native(),
                       open_.native());
  }
  [[nodiscard]] std::size_t times_reached() const {
    return test::occurrences(test::read_file(reached_), "\n");
  }
  [[nodiscard]] bool is_reached() const {
    return test::eventually([&] { return times_reached() > 0; });
  }
  /// Whether the script has ended, with the daemon's taking note of it or without.
  [[nodiscard]] bool is_over() const {
    const auto stat = "/proc/" + std::to_string(script_id()) + "/stat";
    return test::eventually([&] {
      const std::string state = test::read_file(stat);
      return state.empty() || state.find(") Z ") != std::string::npos;
    });
  }
  void open() const { test::write_file(open_, ""); }
  /// Opens it, and waits until the daemon has taken note of the script's end.
  [[nodiscard]] bool is_passed() const {
    open();
    return test::eventually([&] { return ::kill(script_id(), 0) != 0; });
  }

 private:
  [[nodiscard]] pid_t script_id() const { return std::stoi(test::read_file(reached_)); }

  std::filesystem::path reached_;
  std::filesystem::path open_;
};

// Waits until the daemon has read a signal that it was sent.
bool has_read(const test::daemon& daemon, int number) {
  return daemon.comes_to("signals read", [&] {
    const auto pending = std::stoull(test::status_field(daemon.pid(), "ShdPnd:"), nullptr, 16);
    return (pending >> static_cast<unsigned>(number - 1) & 1U) == 0;
  });
}

void tell(const test::daemon& daemon, std::initializer_list<int> numbers) {
  for (const int number : numbers) {
    daemon.signal(number);
    BOOST_REQUIRE(has_read(daemon, number));
  }
}

// A client that is owed more than its socket holds.
struct slow_client {
  upcase::file_descriptor socket;
  std::string sent;

  explicit slow_client(const test::daemon& daemon)
      : socket(daemon.connect()), sent(test::fill(socket.get(), 1)) {}

  // Whether it gets everything that it is owed, and then the end.
  [[nodiscard]] bool is_answered() const {
    return test::receive_to_end(socket.get()) == test::reference_uppercase(sent);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(handover_signals, test::restarting_manager)

BOOST_AUTO_TEST_CASE(a_second_signal_during_the_check_is_ignored) {
  const test::replaceable_program program;
  test::daemon daemon({.program = program.path()});
  const auto client = bring_in(daemon);
  const gate check(daemon.directory() / "check");
  program.become(check.script(), ":");
  daemon.signal(SIGUSR2);
  BOOST_REQUIRE(check.is_reached());
  tell(daemon, {SIGUSR2, SIGUSR2, SIGUSR2});
  check.open();
  BOOST_TEST(daemon.logged("state=serving", 2));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(check.times_reached() == 1U);
  BOOST_TEST(daemon.count("hand-over=exec") == 1U);
}

BOOST_AUTO_TEST_CASE(a_second_signal_while_clients_are_gathered_is_ignored) {
  const test::replaceable_program program;
  test::daemon daemon({.arguments = {"--threads", "3"}, .config = "", .program = program.path()});
  const auto client = bring_in(daemon);
  const gate check(daemon.directory() / "check");
  program.become(check.script(), ":");
  {
    const test::stopped_threads frozen(daemon.pid());
    SKIP_UNLESS(frozen.any(), "may not trace its own child here");
    daemon.signal(SIGUSR2);
    BOOST_REQUIRE(check.is_reached());
    BOOST_REQUIRE(check.is_passed());
    tell(daemon, {SIGUSR2, SIGHUP, SIGUSR2});
  }
  BOOST_TEST(daemon.logged("state=serving", 2));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(daemon.count("hand-over=exec") == 1U);
}

BOOST_AUTO_TEST_CASE(what_the_old_program_did_not_read_the_new_one_obeys) {
  const test::replaceable_program program;
  test::daemon daemon({.config = "", .program = program.path()});
  const auto client = bring_in(daemon);
  const gate start(daemon.directory() / "start");
  program.become(":", start.script());
  daemon.signal(SIGUSR2);
  BOOST_REQUIRE(start.is_reached());
  daemon.signal(SIGHUP);
  daemon.signal(SIGUSR2);
  start.open();
  BOOST_TEST(daemon.logged("reload=done"));
  BOOST_TEST(daemon.logged("state=serving", 3));
  BOOST_TEST(test::served(client.get()));
}

BOOST_AUTO_TEST_CASE(a_stop_during_the_check_is_a_stop) {
  const test::replaceable_program program;
  test::daemon daemon({.program = program.path()});
  const slow_client client(daemon);
  const gate check(daemon.directory() / "check");
  program.become(check.script(), ":");
  daemon.signal(SIGUSR2);
  BOOST_REQUIRE(check.is_reached());
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.logged("state=draining"));
  BOOST_TEST(client.is_answered());
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
  BOOST_TEST(daemon.count("hand-over=") == 0U);
  BOOST_TEST(check.is_over());
}

BOOST_AUTO_TEST_CASE(a_stop_before_the_new_program_begins_is_a_stop) {
  const test::replaceable_program program;
  test::daemon daemon({.program = program.path()});
  const slow_client client(daemon);
  const gate start(daemon.directory() / "start");
  program.become(":", start.script());
  daemon.signal(SIGUSR2);
  BOOST_REQUIRE(start.is_reached());
  daemon.signal(SIGTERM);
  start.open();
  BOOST_TEST(daemon.logged("state=draining"));
  BOOST_TEST(client.is_answered());
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_stop_while_clients_are_gathered_is_a_stop) {
  auto options = with_store("");
  options.arguments = {"--threads", "3"};
  test::daemon daemon(options);
  const slow_client client(daemon);
  {
    const test::stopped_threads frozen(daemon.pid());
    SKIP_UNLESS(frozen.any(), "may not trace its own child here");
    tell(daemon, {SIGUSR2, SIGTERM});
  }
  // Nothing was stored: nobody answers a barrier here.
  BOOST_TEST(daemon.logged("state=draining"));
  BOOST_TEST(client.is_answered());
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
  BOOST_TEST(daemon.count("state=draining") == 1U);
  BOOST_TEST(manager.store().empty());
}

BOOST_AUTO_TEST_CASE(a_stop_while_clients_are_gathered_for_the_new_program_is_a_stop) {
  const test::replaceable_program program;
  test::daemon daemon({.arguments = {"--threads", "3"}, .program = program.path()});
  const slow_client client(daemon);
  const gate check(daemon.directory() / "check");
  program.become(check.script(), ":");
  {
    const test::stopped_threads frozen(daemon.pid());
    SKIP_UNLESS(frozen.any(), "may not trace its own child here");
    daemon.signal(SIGUSR2);
    BOOST_REQUIRE(check.is_reached());
    BOOST_REQUIRE(check.is_passed());
    tell(daemon, {SIGTERM});
  }
  BOOST_TEST(daemon.logged("state=draining"));
  BOOST_TEST(client.is_answered());
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
  BOOST_TEST(daemon.count("hand-over=exec") == 0U);
}

BOOST_AUTO_TEST_CASE(two_stops_while_clients_are_gathered_are_a_stop_at_once) {
  auto options = with_store("");
  options.arguments = {"--drain-timeout", "1h"};
  test::daemon daemon(options);
  const slow_client client(daemon);
  {
    const test::stopped_threads frozen(daemon.pid());
    SKIP_UNLESS(frozen.any(), "may not trace its own child here");
    tell(daemon, {SIGUSR2, SIGTERM, SIGINT});
  }
  // Nobody reads what is owed to the client.
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_stop_while_the_store_fills_is_a_stop) {
  for (const int number : {SIGTERM, SIGINT}) {
    test::daemon daemon(with_store(""));
    const slow_client client(daemon);
    manager.hold_barriers();
    daemon.signal(SIGUSR2);
    BOOST_REQUIRE(test::eventually([&] { return manager.is_asked(); }));
    daemon.signal(number);
    manager.answer_barriers();
    BOOST_TEST(daemon.logged("state=draining"));
    BOOST_TEST(client.is_answered());
    BOOST_TEST(daemon.wait().value_or(-1) == 0);
    BOOST_TEST(manager.store().empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
