// succession: whatever a successor finds wrong when it begins, the clients that
// it was left are served; and a hand-over that something comes between.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <sys/file.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <upcase/client_descriptor.hpp>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"
#include "support/successor.hpp"
#include "support/tracer.hpp"

namespace {

using namespace std::chrono_literals;
using test::bring_in;
using test::hand_over;
using upcase::file_descriptor;

file_descriptor hold_lock(const test::daemon& daemon) {
  file_descriptor lock(
      ::open((daemon.socket().native() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  BOOST_REQUIRE(::flock(lock.get(), LOCK_EX | LOCK_NB) == 0);
  return lock;
}

// The descriptors that would stay open across exec(2), standard streams aside.
std::string inheritable(pid_t pid) {
  std::string result;
  for (const auto& each :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
    const std::string info = test::read_file(each.path());
    const std::string key = "flags:\t";
    if (info.empty()) {
      continue;  // closed meanwhile
    }
    const auto flags = std::stoul(info.substr(info.find(key) + key.size()), nullptr, 8);
    const std::string number = each.path().filename();
    if ((flags & O_CLOEXEC) == 0 && std::stoi(number) > STDERR_FILENO) {
      result += number + ' ';
    }
  }
  return result;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(succession, test::restarting_manager)

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
  const test::replaceable_program program;
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
  auto daemon = test::daemon(with_store(""));
  const auto client = bring_in(daemon);
  end(daemon);
  const auto other = test::run({UPCASED_PROGRAM, "--config", "/dev/null", "--socket",
                                daemon.socket(), "--client-directory", daemon.clients()});
  BOOST_TEST(other.code == 69);
  begin(daemon);
  BOOST_TEST(test::served(client.get()));
}

BOOST_AUTO_TEST_CASE(a_lock_that_somebody_else_holds_costs_nobody) {
  test::daemon daemon(with_store(""));
  const auto client = bring_in(daemon);
  end(daemon);
  drop("upcased-lock");
  const auto lock = hold_lock(daemon);
  begin(daemon);
  BOOST_TEST(daemon.count("already running") > 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  // Theirs, and so may the socket be.
  BOOST_TEST(std::filesystem::exists(daemon.socket().native() + ".lock"));
}

BOOST_AUTO_TEST_CASE(a_client_directory_that_is_gone_costs_nobody) {
  test::daemon daemon(with_store(""));
  const auto client = bring_in(daemon);
  std::filesystem::remove_all(daemon.clients());
  test::write_file(daemon.clients(), "no directory");
  restart(daemon);
  BOOST_TEST(daemon.count("restart=partial") > 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(manager.heard("refused; restarted, still with the old configuration: "));
  std::filesystem::remove(daemon.clients());
  const std::size_t before = manager.messages().size();
  BOOST_TEST(daemon.reload());
  BOOST_TEST(test::served(daemon.connect().get()));
  BOOST_TEST(test::eventually(
      [&] { return manager.messages().find(" refused\n", before) != std::string::npos; }));
}

BOOST_AUTO_TEST_CASE(a_runtime_directory_that_others_may_write_in_costs_nobody) {
  test::daemon daemon(with_store(""));
  const auto client = bring_in(daemon);
  std::filesystem::permissions(daemon.directory(), std::filesystem::perms::all);
  restart(daemon);
  BOOST_TEST(daemon.count("restart=partial") > 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(sockets_that_are_none_cost_nobody) {
  test::daemon daemon(with_store(""));
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

BOOST_AUTO_TEST_CASE(a_strangers_descriptors_are_not_taken) {
  for (const std::string value : {"=3", "3", "1 upcased-carrier=3", "PID =3", "PID upcased-carrier",
                                  "PID upcased-carrier=3x upcased-settings=-1 upcased-lock=2",
                                  "PID upcased-carrier=99999999999999999999 x=3 y=4 z=5 u=6"}) {
    const test::daemon daemon({.before_exec = [value] {
      std::string mine = value;
      if (const auto at = mine.find("PID"); at != std::string::npos) {
        mine.replace(at, 3, std::to_string(::getpid()));
      }
      // Open it is, but nobody left it.
      return ::dup2(STDERR_FILENO, 3) == 3 && ::setenv("UPCASED_DESCRIPTORS", mine.c_str(), 1) == 0;
    }});
    BOOST_TEST_CONTEXT(value) {
      BOOST_TEST(test::served(daemon.connect().get()));
      BOOST_TEST(daemon.count("descriptor=closed") > 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(clients_that_are_stored_are_not_taken_back_with_those_left_over) {
  // One more than a message carries; the one of the second message is refused, and
  // a further carrier cannot be made.
  constexpr std::size_t stored = upcase::most_descriptors;
  auto options = with_store("");
  options.environment.emplace_back(test::without_leak_check);
  // One loop gives its clients up in their order.
  options.arguments.insert(options.arguments.end(), {"--threads", "1"});
  test::daemon daemon(options);
  std::vector<file_descriptor> clients;
  while (clients.size() < stored + 1) {
    clients.push_back(bring_in(daemon));
  }
  BOOST_REQUIRE(manager.heard(fmt::format("STATUS={} clients", clients.size())));
  {
    const test::tracer strace(daemon.pid(),
                              {"--trace=socketpair,sendmsg", "--inject=sendmsg:error=EAGAIN:when=3",
                               "--inject=socketpair:error=EMFILE:when=2"});
    SKIP_UNLESS(strace.attached(), "strace(1) cannot trace here");
    daemon.signal(SIGUSR2);
    BOOST_REQUIRE(manager.heard("BARRIER=1"));
    BOOST_REQUIRE(daemon.logged(fmt::format("hand-over=stored clients={} left=1", stored)));
  }
  // Whoever was left over is ended as at a stop.
  BOOST_TEST(daemon.wait().value_or(-1) == 75);
  BOOST_TEST(daemon.count("state=draining clients=1\n") == 1U);
  BOOST_TEST(test::refused(clients.back().get()));
  clients.pop_back();
  begin(daemon);
  for (const auto& client : clients) {
    BOOST_TEST(test::served(client.get()));
  }
}

BOOST_AUTO_TEST_CASE(the_check_obeys_signals_as_any_program_does) {
  const test::replaceable_program program;
  test::daemon daemon({.program = program.path()});
  const auto blocked = daemon.directory() / "blocked";
  program.become("grep ^SigBlk /proc/self/status >'" + blocked.native() + "'", ":");
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(test::read_file(blocked) == "SigBlk:\t0000000000000000\n");
}

BOOST_AUTO_TEST_CASE(no_child_gets_what_one_process_leaves_to_the_next) {
  const test::replaceable_program program;
  test::daemon daemon({.program = program.path()});
  const auto client = bring_in(daemon);
  const std::string ours = inheritable(daemon.pid());  // what this test was started with
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(inheritable(daemon.pid()) == ours);
  program.become("rm -- \"$0\"", ":");
  daemon.signal(SIGUSR2);
  BOOST_REQUIRE(daemon.logged("cannot become"));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(inheritable(daemon.pid()) == ours);
}

BOOST_AUTO_TEST_CASE(failures_in_a_row_leave_it_as_it_was) {
  const test::replaceable_program program;
  test::daemon daemon(
      {.arguments = {"--max-clients", "1", "--client-max-age", "0"}, .program = program.path()});
  const auto client = bring_in(daemon);
  const auto waiting = daemon.connect();
  BOOST_TEST(daemon.logged("max-clients reached"));
  for (std::size_t round = 1; round <= 2; ++round) {
    // It finds all well, and is gone when it is to begin.
    program.become("rm -- \"$0\"", ":");
    daemon.signal(SIGUSR2);
    BOOST_REQUIRE(daemon.logged("cannot become", round));
  }
  const auto before = test::processor_time(daemon.pid());
  std::this_thread::sleep_for(1s);
  BOOST_TEST((test::processor_time(daemon.pid()) - before) / 1ms < 100);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
