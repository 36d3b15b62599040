// name_service: the system's users and groups come late, or not at all. That
// costs neither a client nor a configuration.

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/name_service.hpp"
#include "support/notify_socket.hpp"

namespace {

struct fixture {
  test::name_service names;
  test::temporary_directory place;

  test::outcome check(std::string_view config) {
    test::write_file(place.path() / "conf", config);
    return test::run({UPCASED_PROGRAM, "--config", place.path() / "conf", "--check"}, "",
                     names.environment());
  }

  // A daemon whose configuration names users, and waits for them in a reload.
  void begin_held_reload(test::daemon& daemon, std::string_view config) {
    names.hold();
    const std::size_t before = names.asked();
    test::write_file(daemon.config(), config);
    daemon.signal(SIGHUP);
    BOOST_REQUIRE(test::eventually([&] { return names.asked() > before; }));
  }
};

bool says(const test::outcome& outcome, std::string_view text) {
  return outcome.errors.find(text) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(name_service, fixture)

BOOST_AUTO_TEST_CASE(what_does_not_exist_is_wrong) {
  // getpwnam(3) has several ways to say so.
  for (const int error : {0, ENOENT, ESRCH, EBADF, EPERM}) {
    names.fail(error);
    const auto outcome = check("allow-user = no-such-user\ndeny-group = no-such-group\n");
    BOOST_TEST(outcome.code == 78, "errno " << error << ": " << outcome.errors);
    BOOST_TEST(says(outcome, ":1: allow-user: 'no-such-user': no such user"));
    BOOST_TEST(says(outcome, ":2: deny-group: 'no-such-group': no such group"));
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_looked_up_is_not_wrong) {
  for (const int error : {EAGAIN, EIO, EMFILE, ENFILE, ENOMEM, ECONNREFUSED, EINVAL}) {
    names.fail(error);
    const auto outcome = check("allow-user = root\ndeny-group = root\n");
    BOOST_TEST(outcome.code == 71, "errno " << error << ": " << outcome.errors);
    BOOST_TEST(says(outcome, ":1: allow-user: 'root': cannot be looked up: "), outcome.errors);
    BOOST_TEST(says(outcome, ":2: deny-group: 'root': cannot be looked up: "), outcome.errors);
  }
  // What is wrong as well stays so, however long one waits.
  const auto outcome = check("allow-user = root\nbacklog = many\n");
  BOOST_TEST(outcome.code == 78);
  BOOST_TEST(says(outcome, "cannot be looked up"));
  // A number needs no name service.
  BOOST_TEST(check("allow-user = 0\n").code == 0);
}

BOOST_AUTO_TEST_CASE(a_record_without_end_is_given_up) {
  names.fail(ERANGE);
  BOOST_TEST(check("allow-user = root\n").code == 71);
}

BOOST_AUTO_TEST_CASE(a_start_is_to_be_tried_again) {
  names.fail(EAGAIN);
  test::write_file(place.path() / "conf", "allow-user = root\n");
  const auto outcome = test::run({UPCASED_PROGRAM, "--config", place.path() / "conf", "--socket",
                                  place.path() / "s", "--client-directory", place.path() / "c"},
                                 "", names.environment());
  BOOST_TEST(outcome.code == 71);
  BOOST_TEST(says(outcome, "cannot be looked up: Resource temporarily unavailable"));
}

BOOST_AUTO_TEST_CASE(a_reload_keeps_the_old_rules) {
  test::daemon daemon({.config = "deny-user = daemon\n", .environment = names.environment()});
  const auto client = daemon.connect();
  names.fail(EIO);
  test::write_file(daemon.config(), "deny-user = root\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.logged("deny-user: 'root': cannot be looked up: Input/output error"));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
  names.fail(0);
  test::write_file(daemon.config(), "deny-user = " + std::to_string(::geteuid()) + "\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(test::refused(client.get()));
}

BOOST_AUTO_TEST_CASE(a_slow_reload_holds_up_nobody) {
  test::notify_socket manager;
  auto environment = names.environment();
  environment.insert(environment.end(),
                     {manager.variable(), "WATCHDOG_PID", "WATCHDOG_USEC=400000"});
  test::daemon daemon({.config = "", .environment = environment});
  const auto client = daemon.connect();
  begin_held_reload(daemon, "allow-user = root\nallow-user = daemon\n");
  BOOST_TEST(manager.heard("RELOADING=1"));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
  const std::size_t fed = test::occurrences(manager.messages(), "WATCHDOG=1");
  BOOST_TEST(test::eventually(
      [&] { return test::occurrences(manager.messages(), "WATCHDOG=1") >= fed + 4; }));
  // Not ready again before it is done.
  BOOST_TEST(test::occurrences(manager.messages(), "READY=1") == 1U);
  BOOST_TEST(daemon.count("reload=done") == 0U);
  names.release();
  BOOST_TEST(daemon.logged("reload=done"));
  BOOST_TEST(
      test::eventually([&] { return test::occurrences(manager.messages(), "READY=1") == 2U; }));
}

BOOST_AUTO_TEST_CASE(reloads_asked_for_meanwhile_are_one_afterwards) {
  test::notify_socket manager;
  auto environment = names.environment();
  environment.push_back(manager.variable());
  test::daemon daemon({.config = "", .environment = environment});
  begin_held_reload(daemon, "deny-user = daemon\n");
  test::write_file(daemon.config(), "deny-user = " + std::to_string(::geteuid()) + "\n");
  for (int i = 0; i < 5; ++i) {
    daemon.signal(SIGHUP);
    // Served, so that the signal is seen before the next, with which it would be one.
    BOOST_TEST(test::served(daemon.connect().get()));
    manager.messages();  // which has room for a few only
  }
  names.release();
  BOOST_TEST(daemon.logged("reload=done", 2));
  BOOST_TEST(test::refused(daemon.connect().get()));
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.count("reload=done") == 3U);
  // Ready at the start, and whenever no reload was left to be done.
  daemon.signal(SIGTERM);
  BOOST_TEST(manager.heard("STOPPING=1"));
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
  BOOST_TEST(test::occurrences(manager.messages(), "READY=1") == 3U);
}

BOOST_AUTO_TEST_CASE(a_stop_does_not_wait_for_a_reload) {
  test::daemon daemon({.config = "", .environment = names.environment()});
  const auto client = daemon.connect();
  begin_held_reload(daemon, "allow-user = root\n");
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait(std::chrono::seconds(10)).value_or(-1) == 0);
  BOOST_TEST(daemon.count("state=stopped") == 1U);
  names.release();
}

BOOST_AUTO_TEST_CASE(a_reload_that_ends_in_a_drain_changes_nothing) {
  test::daemon daemon(
      {.arguments = {"--drain-timeout", "1h"}, .config = "", .environment = names.environment()});
  // Which takes its answer only later.
  const auto client = daemon.connect();
  const std::string sent = test::fill(client.get(), 1);
  begin_held_reload(daemon, "deny-user = " + std::to_string(::geteuid()) + "\nallow-user = root\n");
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.logged("state=draining"));
  names.release();
  BOOST_TEST((test::receive_to_end(client.get()) == test::reference_uppercase(sent)));
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
  BOOST_TEST(daemon.count("reason=drained") == 1U);
}

BOOST_AUTO_TEST_CASE(a_hand_over_does_not_wait_for_a_reload) {
  test::daemon daemon({.config = "", .environment = names.environment()});
  const auto client = daemon.connect();
  begin_held_reload(daemon, "deny-user = daemon\n");
  // The successor is asked for its own look-ups, which are not held.
  test::write_file(daemon.config(), "");
  daemon.signal(SIGUSR2);
  BOOST_TEST(daemon.logged("state=serving", 2));
  names.release();
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.logged("reload=done"));
}

BOOST_AUTO_TEST_SUITE_END()
