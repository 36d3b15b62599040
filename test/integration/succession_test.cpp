// succession: whatever a successor finds wrong when it begins, the clients that
// it was left are served. By exec and through a store, as in handover_test.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/notify_socket.hpp"

namespace {

using namespace std::chrono_literals;
using upcase::file_descriptor;

// Whether it says so once more than `before`; if it ends, it does not.
bool serves(test::daemon& daemon, std::size_t before) {
  const auto told = [&] { return daemon.count("state=serving") > before; };
  return test::eventually([&] { return told() || daemon.wait(0ns); }) && told();
}

// A restart as systemd does it, by what stands in the store in between.
struct fixture {
  test::notify_socket manager;

  [[nodiscard]] test::daemon::options with_store(std::string config) const {
    return {.bare = true,
            .config = std::move(config),
            .environment = {manager.variable(), "UPCASED_FDSTORE=8"}};
  }

  void end(test::daemon& daemon) {
    daemon.signal(SIGUSR2);
    BOOST_REQUIRE(test::eventually([&] {
      manager.messages();
      return daemon.wait(0ns).has_value();
    }));
    BOOST_TEST(daemon.wait(0ns).value_or(-1) == 75);
  }

  std::vector<test::passed_descriptor> passed() {
    std::vector<test::passed_descriptor> result;
    for (const auto& each : manager.store()) {
      result.push_back({each.name, each.fd.get()});
    }
    return result;
  }

  // With these arguments, until it serves.
  void begin(test::daemon& daemon, const std::vector<std::string>& arguments = {}) {
    const std::size_t before = daemon.count("state=serving");
    daemon.start_with(passed(), arguments);
    BOOST_REQUIRE_MESSAGE(serves(daemon, before), daemon.log());
  }

  void restart(test::daemon& daemon) {
    end(daemon);
    begin(daemon);
  }

  // In place of the stored one of this name.
  void replace(const std::string& name, file_descriptor with) {
    for (auto& each : manager.store()) {
      if (each.name == name) {
        each.fd = std::move(with);
      }
    }
  }

  void drop(const std::string& name) {
    std::erase_if(manager.store(), [&](const auto& each) { return each.name == name; });
  }
};

bool hand_over(test::daemon& daemon) {
  const std::size_t before = daemon.count("state=serving");
  daemon.signal(SIGUSR2);
  return serves(daemon, before);
}

// The program of a daemon, replaced as a package manager does it by a script
// that runs `before_start` when it is not only to check.
class scripted_program {
 public:
  scripted_program() { std::filesystem::copy_file(UPCASED_PROGRAM, path()); }
  [[nodiscard]] std::filesystem::path path() const { return place_.path() / "upcased"; }
  void become(std::string_view before_check, std::string_view before_start) const {
    const auto fresh = place_.path() / "new";
    test::write_file(fresh, fmt::format("#!/bin/bash\n"
                                        "case \"$*\" in\n"
                                        "  *--check) {}; exit 0 ;;\n"
                                        "esac\n"
                                        "{}\n"
                                        "exec {} \"$@\"\n",
                                        before_check, before_start, UPCASED_PROGRAM));
    std::filesystem::permissions(fresh, std::filesystem::perms::owner_all);
    std::filesystem::rename(fresh, path());
  }

 private:
  test::temporary_directory place_;
};

// A client that is in.
file_descriptor bring_in(const test::daemon& daemon) {
  auto client = daemon.connect();
  BOOST_REQUIRE(test::served(client.get()));
  return client;
}

file_descriptor hold_lock(const test::daemon& daemon) {
  file_descriptor lock(
      ::open((daemon.socket().native() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  BOOST_REQUIRE(::flock(lock.get(), LOCK_EX | LOCK_NB) == 0);
  return lock;
}

file_descriptor settings_of(std::string_view text, bool sealed = true) {
  file_descriptor result(::memfd_create("settings", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  BOOST_REQUIRE(::write(result.get(), text.data(), text.size()) ==
                static_cast<ssize_t>(text.size()));
  if (sealed) {
    BOOST_REQUIRE(::fcntl(result.get(), F_ADD_SEALS,
                          F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0);
  }
  return result;
}

constexpr const char* bad = "max-clients-per-user = 2\nidle-timeout = 5 parsecs\n";
constexpr const char* good = "max-clients-per-user = 2\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(succession, fixture)

BOOST_AUTO_TEST_CASE(a_socket_file_that_is_gone_costs_nobody) {
  test::daemon daemon;
  const auto client = bring_in(daemon);
  std::filesystem::remove(daemon.socket());
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(daemon.count("no socket stands at") == 1U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  BOOST_TEST(!std::filesystem::exists(daemon.socket().native() + ".lock"));
}

BOOST_AUTO_TEST_CASE(nobody_takes_the_lock_between_two_processes) {
  const scripted_program program;
  test::daemon daemon({.program = program.path()});
  const auto client = bring_in(daemon);
  // Another one looks just when the successor begins, and looks on for a while.
  const auto lock = daemon.socket().native() + ".lock";
  const auto looked = (daemon.directory() / "looked").native();
  program.become(":", fmt::format("( flock --nonblock 9 && echo taken >'{0}' && exec sleep 5; "
                                  "echo held >'{0}' ) 9<>'{1}' &\n"
                                  "until [ -s '{0}' ]; do sleep 0.01; done",
                                  looked, lock));
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(test::read_file(looked) == "held\n");
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(daemon.count("already running") == 0U);
}

BOOST_AUTO_TEST_CASE(nobody_takes_the_lock_while_the_store_has_it) {
  auto daemon = test::daemon(with_store(good));
  const auto client = bring_in(daemon);
  end(daemon);
  const auto other = test::run({UPCASED_PROGRAM, "--config", "/dev/null", "--socket",
                                daemon.socket(), "--client-directory", daemon.clients()});
  BOOST_TEST(other.code == 69);
  begin(daemon);
  BOOST_TEST(test::served(client.get()));
}

BOOST_AUTO_TEST_CASE(a_lock_that_somebody_else_holds_costs_nobody) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  end(daemon);
  drop("upcased-lock");
  const auto lock = hold_lock(daemon);
  begin(daemon);
  BOOST_TEST(daemon.count("already running") > 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  // Theirs.
  BOOST_TEST(std::filesystem::exists(daemon.socket().native() + ".lock"));
}

BOOST_AUTO_TEST_CASE(a_socket_configured_elsewhere_moves_by_exec) {
  test::daemon daemon({.bare = true, .config = "max-clients = 1\nclient-max-age = 0\n"});
  const auto client = bring_in(daemon);
  const auto waiting = daemon.connect();
  BOOST_TEST(daemon.logged("max-clients reached"));
  const auto moved = daemon.directory() / "moved.sock";
  test::write_file(daemon.config(), "socket = " + moved.native() + "\nmax-clients = 2\n");
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::refused(waiting.get(), 5s));
  BOOST_TEST(!std::filesystem::exists(daemon.socket()));
  BOOST_TEST(!std::filesystem::exists(daemon.socket().native() + ".lock"));
  BOOST_TEST(daemon.count("listener=closed socket=" + daemon.socket().native()) == 1U);
  BOOST_TEST(test::served(test::connect_client(moved, daemon.clients()).get()));
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  BOOST_TEST(!std::filesystem::exists(moved));
  BOOST_TEST(!std::filesystem::exists(moved.native() + ".lock"));
}

BOOST_AUTO_TEST_CASE(a_socket_configured_elsewhere_moves_through_the_store) {
  test::daemon daemon(with_store(""));
  const auto client = bring_in(daemon);
  const auto moved = daemon.directory() / "moved.sock";
  test::write_file(daemon.config(), "socket = " + moved.native() + "\n");
  restart(daemon);
  // What the store still has of the old one listens as well.
  BOOST_TEST(test::eventually([&] { return manager.store().empty(); }));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(!std::filesystem::exists(daemon.socket()));
  BOOST_TEST(test::served(test::connect_client(moved, daemon.clients()).get()));
}

BOOST_AUTO_TEST_CASE(a_new_socket_that_is_taken_leaves_the_old_one) {
  const test::daemon other;
  test::daemon daemon(with_store(""));
  const auto client = bring_in(daemon);
  test::write_file(daemon.config(), "socket = " + other.socket().native() + "\n");
  restart(daemon);
  BOOST_TEST(daemon.count("already running") > 0U);
  BOOST_TEST(manager.heard("served, 0 refused; restarted, but already running"));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
  BOOST_TEST(test::served(other.connect().get()));
  // And so it stays, once it is to be had.
  test::write_file(daemon.config(), "");
  restart(daemon);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(an_activated_socket_beats_one_of_its_own) {
  for (const bool same_path : {false, true}) {
    test::daemon daemon(with_store(""));
    const auto client = bring_in(daemon);
    end(daemon);
    const auto path = same_path ? daemon.socket() : daemon.directory() / "activated";
    const auto activated = test::make_socket();
    std::filesystem::remove(path);
    test::bind_to(activated.get(), path, 0666);
    BOOST_REQUIRE(::listen(activated.get(), 16) == 0);
    auto all = passed();
    all.push_back({"upcased", activated.get()});
    daemon.start_with(all);
    BOOST_TEST(test::served(client.get()));
    BOOST_TEST(test::served(test::connect_client(path, daemon.clients()).get()));
    BOOST_TEST(daemon.count("listener=closed") == 1U);
    BOOST_TEST(std::filesystem::exists(daemon.socket()) == same_path);
    BOOST_TEST(!std::filesystem::exists(daemon.socket().native() + ".lock"));
    BOOST_TEST(test::eventually([&] { return manager.store().empty(); }));
  }
}

BOOST_AUTO_TEST_CASE(with_an_error_in_the_configuration_the_old_one_goes_on) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  test::write_file(daemon.config(), bad);
  for (std::size_t round = 1; round <= 2; ++round) {
    restart(daemon);
    BOOST_TEST(daemon.count("configuration=refused problem=") == round);
    BOOST_TEST(daemon.count("configuration=kept") == round);
    BOOST_TEST(manager.heard("restarted, still with the old configuration: "));
    BOOST_TEST(test::served(client.get()));
    BOOST_TEST(test::eventually([&] { return manager.store().empty(); }));
  }
  // By the old settings, two are a user's most.
  const auto second = daemon.connect();
  BOOST_TEST(test::served(second.get()));
  BOOST_TEST(test::refused(daemon.connect().get()));
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.count("reload=refused") == 1U);
  test::write_file(daemon.config(), "max-clients-per-user = 3\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.count("reload=done") == 1U);
  BOOST_TEST(manager.heard("STATUS=2 clients, 2 served, 1 refused\n"));
  BOOST_TEST(test::served(daemon.connect().get()));
  BOOST_TEST(test::served(client.get()));
}

BOOST_AUTO_TEST_CASE(a_user_who_is_gone_costs_nobody) {
  // The number that the name stood for goes on; by exec, where the check is the
  // name service's that has not noticed yet.
  const scripted_program program;
  test::daemon daemon({.bare = true,
                       .config = "allow-user = root\nallow-user = 4711\n",
                       .program = program.path()});
  const auto client = bring_in(daemon);
  test::write_file(daemon.config(), "allow-user = gone-since\n");
  program.become(":", ":");
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(daemon.count("no such user") > 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(without_a_client_a_restart_is_as_sure) {
  test::daemon daemon(with_store(good));
  test::write_file(daemon.config(), bad);
  restart(daemon);
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(a_first_start_with_an_error_is_refused) {
  const test::temporary_directory place;
  test::write_file(place.path() / "conf", bad);
  const auto outcome = test::run({UPCASED_PROGRAM, "--config", place.path() / "conf"}, "",
                                 {"RUNTIME_DIRECTORY=" + place.path().native()});
  BOOST_TEST(outcome.code == 78);
}

BOOST_AUTO_TEST_CASE(a_command_line_that_is_wrong_costs_nobody) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  end(daemon);
  begin(daemon, {"--no-such-option"});
  BOOST_TEST(daemon.count("command line: ") > 0U);
  BOOST_TEST(test::served(client.get()));
  // What it would mean is not known, so that no reload can succeed.
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.count("reload=refused") == 1U);
  restart(daemon);
  BOOST_TEST(test::served(client.get()));
}

BOOST_AUTO_TEST_CASE(a_client_directory_that_is_gone_costs_nobody) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  std::filesystem::remove_all(daemon.clients());
  test::write_file(daemon.clients(), "no directory");
  restart(daemon);
  BOOST_TEST(daemon.count("restart=partial") > 0U);
  BOOST_TEST(test::served(client.get()));
  std::filesystem::remove(daemon.clients());
  BOOST_TEST(daemon.reload());
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(a_runtime_directory_that_others_may_write_in_costs_nobody) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  std::filesystem::permissions(daemon.directory(), std::filesystem::perms::all);
  restart(daemon);
  BOOST_TEST(daemon.count("restart=partial") > 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(sockets_that_are_none_cost_nobody) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  end(daemon);
  const file_descriptor datagram(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  auto all = passed();
  all.push_back({"upcased", datagram.get()});
  all.push_back({"upcased-listener", datagram.get()});
  daemon.start_with(all);
  BOOST_TEST(daemon.count("descriptor=closed name=upcased reason=") > 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(settings_of_another_version_are_understood) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  test::write_file(daemon.config(), bad);
  end(daemon);
  replace("upcased-settings", settings_of("socket = " + daemon.socket().native() +
                                          "\nclient-directory = " + daemon.clients().native() +
                                          "\nfuture-setting = 7\nmax-clients = 999999999\n"
                                          "deny-user = 4711\n"));
  begin(daemon);
  BOOST_TEST(daemon.count("inherited-setting=ignored name=future-setting") > 0U);
  BOOST_TEST(daemon.count("max-clients=999999999") == 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(settings_that_cannot_be_trusted_serve_nobody) {
  const auto start_with = [&](file_descriptor settings) {
    test::daemon daemon(with_store(good));
    test::write_file(daemon.config(), bad);
    end(daemon);
    replace("upcased-settings", std::move(settings));
    daemon.start_with(passed(), {"--backlog", "8"});
    BOOST_TEST(daemon.wait().value_or(-1) == 78);
    BOOST_TEST(daemon.count("inherited-settings=refused") > 0U);
    manager.store().clear();
  };
  start_with(settings_of("deny-user = 4711\n", false));
  start_with(settings_of("deny-user = somebody-unknown\n"));
  start_with(settings_of("noise"));
  start_with(file_descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
}

BOOST_AUTO_TEST_CASE(a_strangers_descriptors_are_not_taken) {
  for (const std::string value : {"=3", "3", "1 upcased-carrier=3", "PID =3", "PID upcased-carrier",
                                  "PID upcased-carrier=3x upcased-settings=-1 upcased-lock=2",
                                  "PID upcased-carrier=99999999999999999999 x=3 y=4 z=5 u=6"}) {
    const test::daemon daemon({.before_exec = [value] {
      std::string mine = value;
      if (const auto at = mine.find("PID"); at != std::string::npos) {
        mine.replace(at, 3, std::to_string(::getpid()));
      }
      return ::setenv("UPCASED_DESCRIPTORS", mine.c_str(), 1) == 0;
    }});
    BOOST_TEST_CONTEXT(value) {
      BOOST_TEST(test::served(daemon.connect().get()));
      BOOST_TEST(daemon.count("descriptor=closed") > 0U);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
