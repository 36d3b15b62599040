// handover: a running daemon makes way for the next one, and no client loses a
// byte. By exec here, and through a service manager's descriptor store; a real
// systemd is in system/restart.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <upcase/client_log.hpp>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/notify_socket.hpp"
#include "support/successor.hpp"

namespace {

using namespace std::chrono_literals;
using test::hand_over;

struct client {
  upcase::file_descriptor socket;
  std::string sent;
  std::string received;

  void send_some(std::size_t count, unsigned seed) {
    const std::string bytes = test::random_bytes(count, seed);
    const ssize_t part =
        ::send(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (part > 0) {
      sent += bytes.substr(0, static_cast<std::size_t>(part));
    }
  }
  void receive_some() { received += test::receive(socket.get(), 1U << 16U, 0ns); }

  // Reads to the end, and compares.
  bool answered() {
    received += test::receive_to_end(socket.get());
    return received == test::reference_uppercase(sent);
  }

  // The same, having no more to send.
  bool complete() {
    ::shutdown(socket.get(), SHUT_WR);
    return answered();
  }
};

std::vector<client> connect_many(const test::daemon& daemon, std::size_t count) {
  std::vector<client> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back({daemon.connect(), {}, {}});
  }
  return result;
}

// Traffic in both directions; one client in ten sends and does not read.
void traffic(std::vector<client>& clients, unsigned seed) {
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i].send_some(i % 10 == 0 ? 300'000 : 1000, seed + static_cast<unsigned>(i));
    if (i % 10 != 0) {
      clients[i].receive_some();
    }
  }
}

void check_answered(std::vector<client>& clients) {
  for (client& each : clients) {
    BOOST_TEST(each.answered());
  }
}

void check_complete(std::vector<client>& clients) {
  for (client& each : clients) {
    BOOST_TEST(each.complete());
  }
}

// A daemon whose program is a file of the test's own, to be replaced.
std::filesystem::path copy_program(const test::temporary_directory& place) {
  auto copy = place.path() / "upcased";
  std::filesystem::copy_file(UPCASED_PROGRAM, copy);
  return copy;
}

// A new file under the old name, as a package manager puts it there.
void replace_program(const std::filesystem::path& program, std::string_view script) {
  const auto fresh = program.native() + ".new";
  test::write_file(fresh, script);
  std::filesystem::permissions(fresh, std::filesystem::perms::owner_all);
  std::filesystem::rename(fresh, program);
}

bool still_served(client& one) {
  one.send_some(100, 7);
  return one.complete();
}

// What systemd does between two starts of a unit: the store is passed on.
test::daemon::options with_store(test::notify_socket& manager) {
  return {.environment = {manager.variable(), "UPCASED_FDSTORE=8"}};
}

// With the manager answering meanwhile.
std::optional<int> wait_for_end(test::daemon& daemon, test::notify_socket& manager) {
  test::eventually([&] {
    manager.messages();
    return daemon.wait(0ns).has_value();
  });
  return daemon.wait(0ns);
}

void pass_on(test::notify_socket& manager, test::daemon& daemon) {
  std::vector<test::passed_descriptor> passed;
  for (const auto& each : manager.store()) {
    passed.push_back({each.name, each.fd.get()});
  }
  daemon.start_with(passed);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handover)

BOOST_AUTO_TEST_CASE(by_exec_nobody_loses_a_byte) {
  test::daemon daemon;
  auto clients = connect_many(daemon, 100);
  for (unsigned round = 0; round < 5; ++round) {
    traffic(clients, round * 1000);
    BOOST_REQUIRE(hand_over(daemon));
    traffic(clients, round * 1000 + 500);
  }
  auto late = connect_many(daemon, 1);
  traffic(late, 1);
  check_complete(late);
  check_complete(clients);
  BOOST_TEST(daemon.count("reason=reset") == 0U);
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  BOOST_TEST(!std::filesystem::exists(daemon.socket()));
}

BOOST_AUTO_TEST_CASE(who_was_not_told_of_stays_so) {
  constexpr std::size_t told = upcase::client_log::allowed_lines;
  test::daemon daemon;
  auto clients = connect_many(daemon, told + 50);
  for (client& each : clients) {
    BOOST_TEST(test::served(each.socket.get()));
  }
  BOOST_TEST(daemon.count("allow ") == told);
  BOOST_REQUIRE(hand_over(daemon));
  BOOST_TEST(daemon.logged("clients-not-logged=50"));
  clients.clear();
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  BOOST_TEST(daemon.count("end client=") == told);
}

BOOST_AUTO_TEST_CASE(nobody_keeps_the_record_in_memory) {
  const auto has_record = [](const test::daemon& daemon) {
    const auto maps = "/proc/" + std::to_string(daemon.pid()) + "/maps";
    return test::read_file(maps).find("upcased-handover") != std::string::npos;
  };
  test::daemon daemon;
  const auto idle = daemon.connect();
  BOOST_TEST(test::served(idle.get()));
  client slow{daemon.connect(), {}, {}};
  slow.sent = test::fill(slow.socket.get(), 1);
  BOOST_REQUIRE(hand_over(daemon));
  BOOST_TEST(test::eventually([&] { return !has_record(daemon); }, 5s));
  BOOST_TEST(test::served(idle.get()));
  BOOST_TEST(slow.complete());
}

BOOST_AUTO_TEST_CASE(a_configuration_that_is_wrong_changes_nothing) {
  test::daemon daemon({.config = "log-level = info\n"});
  auto clients = connect_many(daemon, 1);
  test::write_file(daemon.config(), "no-such-key = 1\n");
  daemon.signal(SIGUSR2);
  BOOST_TEST(daemon.logged("hand-over=refused"));
  BOOST_TEST(still_served(clients[0]));
  test::write_file(daemon.config(), "");
  BOOST_TEST(hand_over(daemon));
}

BOOST_AUTO_TEST_CASE(rules_that_changed_are_asked) {
  test::daemon daemon({.config = ""});
  auto clients = connect_many(daemon, 1);
  test::write_file(daemon.config(), "deny-user = " + std::to_string(::geteuid()) + "\n");
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(daemon.logged("reason=denied"));
  BOOST_TEST(test::refused(clients[0].socket.get()));
}

BOOST_AUTO_TEST_CASE(a_program_that_is_gone_changes_nothing) {
  const test::temporary_directory place;
  const auto program = copy_program(place);
  test::daemon daemon({.program = program});
  auto clients = connect_many(daemon, 1);
  std::filesystem::remove(program);
  daemon.signal(SIGUSR2);
  BOOST_TEST(daemon.logged("hand-over=failed"));
  BOOST_TEST(still_served(clients[0]));
}

BOOST_AUTO_TEST_CASE(what_was_given_away_is_taken_back_if_exec_fails) {
  const test::temporary_directory place;
  const auto program = copy_program(place);
  test::daemon daemon({.program = program});
  auto clients = connect_many(daemon, 20);
  traffic(clients, 1);
  // It finds all well, and is gone when it is to begin.
  replace_program(program, "#!/bin/sh\nrm -- \"$0\"\n");
  daemon.signal(SIGUSR2);
  BOOST_TEST(daemon.logged("cannot become"));
  auto late = connect_many(daemon, 1);
  BOOST_TEST(still_served(late[0]));
  traffic(clients, 2);
  check_complete(clients);
}

BOOST_AUTO_TEST_CASE(the_new_program_is_the_one_at_the_old_path) {
  const test::temporary_directory place;
  const auto program = copy_program(place);
  test::daemon daemon({.program = program});
  auto clients = connect_many(daemon, 1);
  replace_program(
      program, "#!/bin/sh\necho successor >&2\nexec " + std::string(UPCASED_PROGRAM) + " \"$@\"\n");
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(daemon.count("successor") == 2U);  // the check, and the start
  BOOST_TEST(still_served(clients[0]));
}

BOOST_AUTO_TEST_CASE(through_a_store_nobody_loses_a_byte) {
  test::notify_socket manager;
  test::daemon daemon(with_store(manager));
  auto clients = connect_many(daemon, 50);
  for (unsigned round = 0; round < 3; ++round) {
    traffic(clients, round * 1000);
    daemon.signal(SIGUSR2);
    BOOST_TEST(wait_for_end(daemon, manager).value_or(-1) == 75);
    // A carrier, whose other end is closed, would be dropped as one that has ended.
    BOOST_TEST(manager.heard("FDNAME=upcased-carrier\nFDPOLL=0"));
    BOOST_TEST(manager.store().size() == 4U);  // clients, settings, its own socket and its lock
    auto meanwhile = connect_many(daemon, 1);
    traffic(clients, round * 1000 + 500);
    pass_on(manager, daemon);
    // Before it says that it is ready, they are back.
    BOOST_TEST(daemon.log().rfind("taken-over=yes clients=") < daemon.log().rfind("state=serving"));
    BOOST_TEST(test::eventually([&] { return manager.store().empty(); }));
    traffic(meanwhile, 1);
    check_complete(meanwhile);
  }
  check_complete(clients);
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  BOOST_TEST(manager.store().empty());
}

BOOST_AUTO_TEST_CASE(a_store_for_no_descriptors_is_none) {
  test::notify_socket manager;
  test::daemon daemon({.environment = {manager.variable(), "FDSTORE=0", "UPCASED_FDSTORE=0"}});
  auto clients = connect_many(daemon, 1);
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(daemon.count("hand-over=exec") == 1U);
  BOOST_TEST(still_served(clients[0]));
}

BOOST_AUTO_TEST_CASE(a_successor_that_is_killed_leaves_the_store_to_the_next) {
  test::notify_socket manager;
  test::daemon daemon(with_store(manager));
  auto clients = connect_many(daemon, 10);
  traffic(clients, 1);
  daemon.signal(SIGUSR2);
  BOOST_TEST(wait_for_end(daemon, manager).value_or(-1) == 75);
  // One that dies before it has looked at anything; systemd keeps the store.
  daemon.start_with({}, {"--no-such-option"});
  BOOST_TEST(daemon.wait().value_or(-1) == 64);
  pass_on(manager, daemon);
  check_complete(clients);
}

BOOST_AUTO_TEST_CASE(a_manager_that_does_not_listen_is_no_loss) {
  // Nobody answers the barrier: what was sent is answered, as at a stop.
  const test::temporary_directory place;
  test::daemon daemon({.environment = {"NOTIFY_SOCKET=" + (place.path() / "nobody").native(),
                                       "UPCASED_FDSTORE=8"}});
  auto clients = connect_many(daemon, 5);
  traffic(clients, 1);
  daemon.signal(SIGUSR2);
  BOOST_TEST(daemon.logged("hand-over=failed"));
  check_answered(clients);
  BOOST_TEST(daemon.wait().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
