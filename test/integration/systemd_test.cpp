// systemd: what the daemon tells a service manager, and the sockets that it
// takes from one. The manager is ours here; test/system has the real one.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/datagram_inbox.hpp"
#include "support/passed_descriptors.hpp"
#include "support/skip.hpp"
#include "support/stopped_threads.hpp"

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

struct fixture {
  test::temporary_directory place;
  test::datagram_inbox inbox{place.path() / "notify"};

  // The daemon's environment; WATCHDOG_USEC as given, in microseconds.
  [[nodiscard]] std::vector<std::string> environment(const std::string& watchdog = "") const {
    std::vector<std::string> result{"NOTIFY_SOCKET=" + (place.path() / "notify").native(),
                                    "WATCHDOG_PID"};
    result.push_back(watchdog.empty() ? "WATCHDOG_USEC" : "WATCHDOG_USEC=" + watchdog);
    return result;
  }

  // Waits for a message that begins so, passing over others.
  std::optional<std::string> hear(const std::string& begin) {
    std::string others;
    const auto limit = test::patience_left();
    const auto end = clock_type::now() + limit;
    for (auto left = end - clock_type::now(); left > 0ns; left = end - clock_type::now()) {
      auto message = inbox.next(left);
      if (message && message->starts_with(begin)) {
        return message;
      }
      others += message.value_or("") + '\n';
    }
    test::waited_in_vain(limit, "a message '" + begin + "'; others came:", others);
    return std::nullopt;
  }

  // How many messages that begin so come within a time.
  std::size_t count(const std::string& begin, std::chrono::milliseconds within) {
    std::size_t result = 0;
    const auto end = clock_type::now() + within;
    for (auto left = end - clock_type::now(); left > 0ns; left = end - clock_type::now()) {
      if (const auto message = inbox.next(left); message && message->starts_with(begin)) {
        ++result;
      }
    }
    return result;
  }

  void forget() {
    while (inbox.next(0ms)) {
    }
  }
};

// How often the main thread has gone to sleep so far.
std::string sleeps(pid_t pid) { return test::status_field(pid, "voluntary_ctxt_switches:"); }

// A socket as a socket unit would make it.
upcase::file_descriptor make_listening(const std::filesystem::path& path) {
  auto result = test::make_socket();
  test::bind_to(result.get(), path, 0666);
  BOOST_REQUIRE(::listen(result.get(), 16) == 0);
  return result;
}

// Starts a daemon that is passed these, and must not like them.
test::outcome start_with(const std::vector<test::passed_descriptor>& descriptors) {
  const test::temporary_directory place;
  test::process daemon(
      {.argv = {UPCASED_PROGRAM, "--config", "/dev/null", "--socket", place.path() / "own",
                "--client-directory", place.path() / "clients"},
       .errors = place.path() / "log",
       .before_exec = test::passing(descriptors)});
  const auto code = daemon.wait();
  return {.code = code.value_or(-1), .output = "", .errors = test::read_file(place.path() / "log")};
}

bool is_start_error(const test::outcome& outcome, std::string_view words) {
  return outcome.code == 78 && outcome.errors.find(words) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(systemd, fixture)

BOOST_AUTO_TEST_CASE(ready_once_it_serves) {
  const test::daemon daemon({.environment = environment()});
  BOOST_TEST(inbox.next().value_or("") == "STATUS=0 clients, 0 served, 0 refused");
  BOOST_TEST(inbox.next().value_or("") == "READY=1");
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(the_status_counts) {
  const test::daemon daemon({.environment = environment()});
  {
    const auto client = daemon.connect();
    BOOST_TEST(test::served(client.get()));
    BOOST_TEST(hear("STATUS=1 client, 1 served, 0 refused").has_value());
  }
  const auto unnamed = test::make_socket();
  test::connect_to(unnamed.get(), daemon.socket());
  BOOST_TEST(test::refused(unnamed.get()));
  BOOST_TEST(hear("STATUS=0 clients, 1 served, 1 refused").has_value());
}

BOOST_AUTO_TEST_CASE(a_pause_is_in_the_status_while_it_lasts) {
  const test::daemon daemon({.arguments = {"--max-clients", "1"}, .environment = environment()});
  {
    const auto client = daemon.connect();
    BOOST_TEST(hear("STATUS=1 client, 1 served, 0 refused; accepting paused: max-clients reached")
                   .has_value());
  }
  BOOST_TEST(test::eventually(
      [&] { return inbox.next().value_or("") == "STATUS=0 clients, 1 served, 0 refused"; }));
}

BOOST_AUTO_TEST_CASE(one_status_a_second_however_much_happens) {
  const test::daemon daemon({.environment = environment()});
  BOOST_TEST(hear("READY=1").has_value());
  const auto begin = clock_type::now();
  while (clock_type::now() - begin < 2500ms) {
    BOOST_TEST(test::served(daemon.connect().get()));
  }
  const auto seconds = (clock_type::now() - begin) / 1s;
  const auto heard = count("STATUS=", 100ms);
  BOOST_TEST(heard >= 2U);
  BOOST_TEST(heard <= static_cast<std::size_t>(seconds + 1));
}

BOOST_AUTO_TEST_CASE(an_idle_daemon_says_nothing_and_sleeps) {
  const test::daemon daemon({.environment = environment()});
  {
    const auto client = daemon.connect();
    BOOST_TEST(test::served(client.get()));
  }
  BOOST_TEST(hear("STATUS=0 clients, 1 served, 0 refused").has_value());
  std::this_thread::sleep_for(100ms);
  const std::string before = sleeps(daemon.pid());
  BOOST_TEST(!inbox.next(2500ms).has_value());
  BOOST_TEST(!before.empty());
  BOOST_TEST(sleeps(daemon.pid()) == before);
}

BOOST_AUTO_TEST_CASE(a_reload_is_announced_with_its_time) {
  test::daemon daemon({.config = "", .environment = environment()});
  BOOST_TEST(hear("READY=1").has_value());
  const auto microseconds = [] {
    return std::chrono::floor<std::chrono::microseconds>(clock_type::now().time_since_epoch())
        .count();
  };
  const auto before = microseconds();
  BOOST_TEST(daemon.reload());
  const std::string announced = "RELOADING=1\nMONOTONIC_USEC=";
  const auto message = hear(announced);
  BOOST_REQUIRE(message.has_value());
  const auto told = std::stoll(message->substr(announced.size()));
  BOOST_TEST(told >= before);
  BOOST_TEST(told <= microseconds());
  BOOST_TEST(hear("READY=1").has_value());
}

BOOST_AUTO_TEST_CASE(a_refused_reload_stays_in_the_status) {
  test::daemon daemon({.config = "", .environment = environment()});
  BOOST_TEST(hear("READY=1").has_value());
  test::write_file(daemon.config(), "backlog = many\nthreads = \xff\n");
  BOOST_TEST(daemon.reload());
  // Whoever waits for the end of the reload finds the reason.
  const auto refused = hear("STATUS=0 clients, 0 served, 0 refused; reload refused");
  BOOST_REQUIRE(refused.has_value());
  BOOST_TEST(inbox.next().value_or("") == "READY=1");
  BOOST_TEST(refused->find("upcased.conf:1: backlog: 'many'") != std::string::npos);
  BOOST_TEST(refused->ends_with("(and 1 more)"));
  const auto client = daemon.connect();
  BOOST_TEST(hear("STATUS=1 client, 1 served, 0 refused; reload refused").has_value());
  test::write_file(daemon.config(), "");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(hear("STATUS=").value_or("") == "STATUS=1 client, 1 served, 0 refused");
}

BOOST_AUTO_TEST_CASE(no_byte_of_a_configuration_forges_a_message) {
  test::daemon daemon({.config = "", .environment = environment()});
  BOOST_TEST(hear("READY=1").has_value());
  test::write_file(daemon.config(), "backlog = \xff\xc3\n");
  BOOST_TEST(daemon.reload());
  const auto status = hear("STATUS=0 clients, 0 served, 0 refused; reload refused");
  BOOST_TEST(status.value_or("").find("backlog: '\?\?'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stop_is_announced) {
  test::daemon daemon({.environment = environment()});
  daemon.signal(SIGTERM);
  BOOST_TEST(hear("STOPPING=1").has_value());
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_long_drain_asks_for_more_time_again_and_again) {
  test::daemon daemon(
      {.arguments = {"--drain-timeout", "1h"}, .environment = environment("1000000")});
  const auto client = daemon.connect();
  test::fill(client.get(), 1);
  daemon.signal(SIGTERM);
  BOOST_TEST(hear("STOPPING=1").has_value());
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(hear("EXTEND_TIMEOUT_USEC=").value_or("") == "EXTEND_TIMEOUT_USEC=15000000");
    BOOST_TEST(hear("WATCHDOG=1").has_value());
  }
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(the_watchdog_is_fed_at_half_its_time) {
  const test::daemon daemon({.environment = environment("1000000")});
  BOOST_TEST(hear("READY=1").has_value());
  const auto fed = count("WATCHDOG=1", 2750ms);
  BOOST_TEST(fed >= 4U);
  BOOST_TEST(fed <= 6U);
}

BOOST_AUTO_TEST_CASE(a_full_daemon_is_no_dead_one) {
  const test::daemon daemon(
      {.arguments = {"--max-clients", "1"}, .environment = environment("400000")});
  const auto client = daemon.connect();
  BOOST_TEST(test::served(client.get()));
  const auto waiting = daemon.connect();
  BOOST_TEST(daemon.logged("accepting=paused"));
  forget();
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(hear("WATCHDOG=1").has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_stopped_process_feeds_nothing) {
  const test::daemon daemon({.environment = environment("400000")});
  BOOST_TEST(hear("WATCHDOG=1").has_value());
  daemon.signal(SIGSTOP);
  BOOST_REQUIRE(test::eventually([&] { return test::stopped(daemon.pid()); }));
  forget();
  BOOST_TEST(!inbox.next(1000ms).has_value());
  daemon.signal(SIGCONT);
  BOOST_TEST(hear("WATCHDOG=1").has_value());
}

BOOST_AUTO_TEST_CASE(one_stuck_event_loop_is_enough_to_feed_nothing) {
  const test::daemon daemon(
      {.arguments = {"--threads", "3"}, .environment = environment("400000")});
  BOOST_TEST(hear("WATCHDOG=1").has_value());
  {
    const test::stopped_threads stuck(daemon.pid());
    SKIP_UNLESS(stuck.any(), "may not trace its own child here");
    forget();
    BOOST_TEST(!inbox.next(1000ms).has_value());
  }
  BOOST_TEST(hear("WATCHDOG=1").has_value());
}

BOOST_AUTO_TEST_CASE(a_passed_socket_is_served_and_stays_the_managers) {
  const auto path = place.path() / "passed";
  const auto listening = make_listening(path);
  test::daemon daemon({.before_exec = test::passing({{"upcased", listening.get()}})});
  BOOST_TEST(daemon.logged("socket=" + path.native()));
  BOOST_TEST(!std::filesystem::exists(daemon.socket()));
  BOOST_TEST(test::served(test::connect_client(path, daemon.clients()).get()));
  BOOST_TEST((::fcntl(listening.get(), F_GETFL) & O_NONBLOCK) != 0);
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  // Neither unlinked nor shut down: the next daemon serves who comes meanwhile.
  BOOST_REQUIRE(std::filesystem::exists(path));
  const auto early = test::connect_client(path, daemon.clients());
  daemon.start();
  BOOST_TEST(test::served(early.get()));
}

BOOST_AUTO_TEST_CASE(who_comes_while_it_stops_is_turned_away_at_once) {
  const auto path = place.path() / "passed";
  const auto listening = make_listening(path);
  test::daemon daemon({.arguments = {"--drain-timeout", "1h"},
                       .before_exec = test::passing({{"upcased", listening.get()}})});
  const auto slow = test::connect_client(path, daemon.clients());
  test::fill(slow.get(), 1);
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.logged("state=draining"));
  const auto newcomer = [&] {
    auto result = test::connect_client(path, daemon.clients());
    test::send_all(result.get(), "hello\n");
    return result;
  };
  // The first may have been in time.
  BOOST_REQUIRE(test::eventually([&] { return test::turned_away(newcomer().get(), 5s); }));
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(daemon.clients()), {});
  };
  const auto before = files();
  std::vector<upcase::file_descriptor> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(newcomer());
    BOOST_TEST(test::turned_away(many.back().get()));
  }
  BOOST_TEST(files() == before + 100);  // a client's file stays, as at a refusal
  BOOST_TEST(daemon.count("deny ") == 0U);
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
  BOOST_TEST(daemon.logged("state=stopped"));
  BOOST_TEST(daemon.logged("refused=0"));
  // From then on they wait for whoever is started next.
  const auto early = test::connect_client(path, daemon.clients());
  daemon.start();
  BOOST_TEST(test::served(early.get()));
}

BOOST_AUTO_TEST_CASE(an_end_gives_the_last_newcomer_time_to_see_it) {
  const auto path = place.path() / "passed";
  const auto listening = make_listening(path);
  test::daemon daemon({.arguments = {"--drain-timeout", "1h"},
                       .before_exec = test::passing({{"upcased", listening.get()}})});
  const auto slow = test::connect_client(path, daemon.clients());
  test::fill(slow.get(), 1);
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.logged("state=draining"));
  const auto turned_away = [&] {
    const auto late = test::connect_client(path, daemon.clients());
    test::send_all(late.get(), "hello\n");
    return test::turned_away(late.get());
  };
  BOOST_REQUIRE(test::eventually(turned_away));
  const auto begin = clock_type::now();
  BOOST_TEST(turned_away());
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().value_or(-1) == 0);
  const auto took = clock_type::now() - begin;
  BOOST_TEST((took >= 250ms));
  BOOST_TEST((took < 5s));
}

BOOST_AUTO_TEST_CASE(a_hand_over_that_must_drain_leaves_newcomers_to_the_successor) {
  const auto path = place.path() / "passed";
  const auto listening = make_listening(path);
  test::daemon daemon({.arguments = {"--drain-timeout", "1h"},
                       .before_exec = test::passing({{"upcased", listening.get()}}),
                       // A manager that does not take the clients.
                       .environment = {"NOTIFY_SOCKET=" + (place.path() / "nobody").native(),
                                       "UPCASED_FDSTORE=8"}});
  const auto slow = test::connect_client(path, daemon.clients());
  test::fill(slow.get(), 1);
  daemon.signal(SIGUSR2);
  BOOST_TEST(daemon.logged("state=draining"));
  // Some of them may have been in time, and then got their answer.
  std::vector<upcase::file_descriptor> late;
  for (int i = 0; i < 10; ++i) {
    late.push_back(test::connect_client(path, daemon.clients()));
    test::send_all(late.back().get(), "hello\n");
  }
  BOOST_TEST(!test::turned_away(late.back().get(), 300ms));
  daemon.signal(SIGTERM);
  BOOST_TEST(daemon.wait().has_value());
  daemon.start();
  for (const auto& each : late) {
    BOOST_TEST(test::receive(each.get(), 6) == "HELLO\n");
  }
}

BOOST_AUTO_TEST_CASE(a_passed_socket_survives_a_crash) {
  const auto path = place.path() / "passed";
  const auto listening = make_listening(path);
  test::daemon daemon({.before_exec = test::passing({{"upcased", listening.get()}})});
  daemon.kill();
  const auto early = test::connect_client(path, daemon.clients());
  daemon.start();
  BOOST_TEST(test::served(early.get()));
}

BOOST_AUTO_TEST_CASE(descriptors_of_other_names_are_closed_with_a_warning) {
  const auto ours = make_listening(place.path() / "ours");
  auto other = make_listening(place.path() / "other");
  const test::daemon daemon(
      {.before_exec = test::passing({{"other", other.get()}, {"upcased", ours.get()}})});
  BOOST_TEST(daemon.logged("status descriptor=closed name=other"));
  BOOST_TEST(test::served(test::connect_client(place.path() / "ours", daemon.clients()).get()));
  // Had the daemon kept it, it would still be listening.
  other.reset();
  BOOST_CHECK_THROW(test::connect_client(place.path() / "other", daemon.clients()),
                    std::system_error);
}

BOOST_AUTO_TEST_CASE(without_a_socket_of_its_name_it_makes_its_own) {
  const auto other = make_listening(place.path() / "other");
  const test::daemon daemon({.before_exec = test::passing({{"other", other.get()}})});
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(what_nobody_can_connect_to_is_an_error) {
  const std::string no_socket = "no listening Unix stream socket";
  const auto not_listening = test::make_socket();
  test::bind_to(not_listening.get(), place.path() / "not-listening");
  BOOST_TEST(is_start_error(start_with({{"upcased", not_listening.get()}}), no_socket));

  const upcase::file_descriptor datagram(::socket(AF_UNIX, SOCK_DGRAM, 0));
  BOOST_TEST(is_start_error(start_with({{"upcased", datagram.get()}}), no_socket));

  const upcase::file_descriptor internet(::socket(AF_INET, SOCK_STREAM, 0));
  BOOST_REQUIRE(::listen(internet.get(), 1) == 0);
  BOOST_TEST(is_start_error(start_with({{"upcased", internet.get()}}), no_socket));

  const upcase::file_descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  BOOST_TEST(is_start_error(start_with({{"upcased", file.get()}}), no_socket));
}

BOOST_AUTO_TEST_CASE(two_sockets_of_its_name_are_an_error) {
  const auto first = make_listening(place.path() / "first");
  const auto second = make_listening(place.path() / "second");
  BOOST_TEST(is_start_error(start_with({{"upcased", first.get()}, {"upcased", second.get()}}),
                            "several sockets"));
}

BOOST_AUTO_TEST_SUITE_END()
