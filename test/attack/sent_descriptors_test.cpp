// sent_descriptors: clients send descriptors whose close takes half a minute. No
// thread that serves, accepts or obeys signals may do that close: neither where
// the kernel refuses such descriptors, nor on an older one, where it does not.

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "attack/descriptor_senders.hpp"
#include "support/attacker.hpp"
#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/lingering_socket.hpp"
#include "support/older_kernel.hpp"
#include "support/skip.hpp"
#include "support/unanswering_file.hpp"

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// What may pass until something that waits for nobody has happened. A closing
// that lingers takes ten times as long.
constexpr auto prompt = 3s;

enum class kernel { present, older };
constexpr std::array both{kernel::present, kernel::older};

test::daemon::options on(kernel which, std::vector<std::string> arguments = {}) {
  return {.arguments = std::move(arguments), .before_exec = [which] {
            return which == kernel::present || test::imitate_older_kernel();
          }};
}

bool refuses(const test::daemon& daemon) { return daemon.count("sent-descriptors=refused") > 0; }

bool answers(int client) {
  return ::send(client, "hello\n", 6, MSG_NOSIGNAL) == 6 &&
         test::receive(client, 6, prompt) == "HELLO\n";
}

std::set<std::string> threads_of(pid_t pid) {
  std::set<std::string> result;
  for (const auto& each :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    result.insert(each.path().native());
  }
  return result;
}

// No thread of the daemon runs until it is told to go on. What a client does at
// just the wrong moment otherwise, it does now for certain.
void halt(const test::daemon& daemon) {
  daemon.signal(SIGSTOP);
  BOOST_REQUIRE(test::eventually([&] {
    return std::ranges::all_of(threads_of(daemon.pid()), [](const std::string& thread) {
      const std::string stat = test::read_file(thread + "/stat");
      return stat.find(") T ") != std::string::npos;
    });
  }));
}

void go_on(const test::daemon& daemon) { daemon.signal(SIGCONT); }

// Threads that were there before any attack, and now do what none of them may.
std::size_t lingering_among(const std::set<std::string>& threads) {
  return static_cast<std::size_t>(std::ranges::count_if(threads, [](const std::string& thread) {
    return test::read_file(thread + "/stack").find("sk_stream_wait_close") != std::string::npos;
  }));
}

// How long a client that is in, and one that comes, wait for an answer.
class latencies {
 public:
  void measure(const test::daemon& daemon, int client, int times) {
    for (int i = 0; i < times; ++i) {
      add([&] { return answers(client); });
      add([&] { return answers(daemon.connect().get()); });
    }
  }

  [[nodiscard]] clock::duration percentile(std::size_t percent) {
    std::ranges::sort(all_);
    return all_[(all_.size() - 1) * percent / 100];
  }

 private:
  void add(const std::function<bool()>& ask) {
    const auto began = clock::now();
    BOOST_TEST(ask());
    all_.push_back(clock::now() - began);
  }

  std::vector<clock::duration> all_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sent_descriptors)

BOOST_AUTO_TEST_CASE(they_do_linger_where_they_are_closed) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  const auto took = test::run_as(test::attacker::user, test::attacker::user, [] {
    test::lingering_socket lingers(1s);
    const auto began = clock::now();
    lingers.socket.reset();
    return clock::now() - began > 900ms ? 0 : 1;
  });
  BOOST_TEST(took.value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(the_log_says_what_becomes_of_them) {
  const test::daemon older(on(kernel::older));
  BOOST_TEST(older.logged("sent-descriptors=closed"));
  const test::daemon present(on(kernel::present));
  const auto client = present.connect();
  const int error = test::send_descriptors(client.get(), {STDERR_FILENO});
  BOOST_TEST(error == (refuses(present) ? EPERM : 0));
}

BOOST_AUTO_TEST_CASE(who_sends_one_is_ended_and_nobody_else) {
  const test::daemon daemon(on(kernel::older));
  const auto good = daemon.connect();
  const auto bad = daemon.connect();
  BOOST_TEST(answers(good.get()));
  BOOST_TEST(test::send_descriptors(bad.get(), {STDERR_FILENO}) == 0);
  BOOST_TEST(test::refused(bad.get(), prompt));
  BOOST_TEST(daemon.logged("reason=sent-descriptors"));
  BOOST_TEST(answers(good.get()));
}

BOOST_AUTO_TEST_CASE(served_and_refused_clients) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  for (const kernel which : both) {
    const test::daemon daemon(on(which));
    const auto good = daemon.connect();
    BOOST_TEST(answers(good.get()));
    const auto threads = threads_of(daemon.pid());
    halt(daemon);
    const test::attacker stranger(test::sends_and_stays(daemon));
    go_on(daemon);
    BOOST_TEST(answers(good.get()));
    BOOST_TEST(answers(daemon.connect().get()));
    BOOST_TEST(lingering_among(threads) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_user_who_is_denied) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  for (const kernel which : both) {
    const test::daemon daemon(on(which, {"--deny-user", std::to_string(test::attacker::user)}));
    halt(daemon);
    const test::attacker stranger(test::sends_and_stays(daemon));
    go_on(daemon);
    BOOST_TEST(answers(daemon.connect().get()));
  }
}

BOOST_AUTO_TEST_CASE(during_a_drain) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  for (const kernel which : both) {
    test::daemon daemon(on(which));
    const auto good = daemon.connect();
    BOOST_TEST(answers(good.get()));
    halt(daemon);
    test::send_all(good.get(), "owed\n");
    const test::attacker stranger(test::sends_and_stays(daemon));
    daemon.signal(SIGTERM);
    go_on(daemon);
    BOOST_TEST(test::receive(good.get(), 5, prompt) == "OWED\n");
    BOOST_TEST(test::refused(good.get(), prompt));
    BOOST_TEST(daemon.wait(prompt).value_or(-1) == 0);
  }
}

BOOST_AUTO_TEST_CASE(in_the_backlog_at_a_stop) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  for (const kernel which : both) {
    test::daemon daemon(on(which));
    halt(daemon);
    const test::attacker stranger(test::sends_and_stays(daemon));
    // The first stops, the second at once.
    daemon.signal(SIGINT);
    daemon.signal(SIGTERM);
    go_on(daemon);
    BOOST_TEST(daemon.wait(prompt).value_or(-1) == 0);
  }
}

BOOST_AUTO_TEST_CASE(during_a_hand_over) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  for (const kernel which : both) {
    const test::daemon daemon(on(which));
    const auto good = daemon.connect();
    BOOST_TEST(answers(good.get()));
    halt(daemon);
    const test::attacker stranger(test::sends_and_stays(daemon));
    daemon.signal(SIGUSR2);
    go_on(daemon);
    BOOST_TEST(answers(good.get()));
    BOOST_TEST(test::eventually([&] { return daemon.count("state=serving") == 2; }, prompt),
               daemon.log());
    BOOST_TEST(answers(good.get()));
    BOOST_TEST(answers(daemon.connect().get()));
  }
}

BOOST_AUTO_TEST_CASE(more_than_there_is_room_for) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  for (const kernel which : both) {
    const test::daemon daemon({.before_exec = [which] {
      const rlimit low{.rlim_cur = 64, .rlim_max = 64};
      return ::setrlimit(RLIMIT_NOFILE, &low) == 0 &&
             (which == kernel::present || test::imitate_older_kernel());
    }});
    const auto good = daemon.connect();
    BOOST_TEST(answers(good.get()));
    halt(daemon);
    const test::attacker stranger(test::sends_once(daemon, 80));
    go_on(daemon);
    BOOST_TEST(answers(good.get()));
    BOOST_TEST(answers(daemon.connect().get()));
  }
}

// On an older kernel all closing threads are lost to it. All that is closed later
// stays open, and nobody who is served or comes minds.
BOOST_AUTO_TEST_CASE(files_of_a_file_system_that_does_not_answer) {
  SKIP_UNLESS(test::is_root(), "needs root to mount");
  for (const kernel which : both) {
    test::daemon daemon(on(which));
    const auto file = daemon.directory() / "file";
    test::write_file(file, "");
    {
      test::unanswering_file unanswering(file);
      SKIP_UNLESS(unanswering.file, "no FUSE here: /dev/fuse is missing or mounts are not allowed");
      const auto good = daemon.connect();
      const auto bad = daemon.connect();
      BOOST_TEST(answers(good.get()));
      BOOST_TEST(answers(bad.get()));
      const std::vector<int> copies(40, unanswering.file.get());
      const int error = test::send_descriptors(bad.get(), copies);
      BOOST_TEST(error == (refuses(daemon) ? EPERM : 0));
      BOOST_TEST(answers(good.get()));
      BOOST_TEST(answers(daemon.connect().get()));
      BOOST_TEST(test::refused(test::connect_unnamed(daemon).get(), prompt));
      daemon.signal(SIGUSR2);
      BOOST_TEST(daemon.logged(error == 0 ? "hand-over=failed" : "taken-over=yes"));
      BOOST_TEST(answers(good.get()));
      BOOST_TEST(answers(daemon.connect().get()));
    }
    BOOST_TEST(daemon.stop().value_or(-1) == 0);
  }
}

BOOST_AUTO_TEST_CASE(others_wait_no_longer_than_ever) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  for (const kernel which : both) {
    const test::daemon daemon(on(which));
    const auto good = daemon.connect();
    const auto threads = threads_of(daemon.pid());
    latencies quiet;
    latencies attacked;
    for (int round = 0; round < 5; ++round) {
      quiet.measure(daemon, good.get(), 60);
      const test::attacker stranger(test::floods(daemon));
      attacked.measure(daemon, good.get(), 60);
      BOOST_TEST(lingering_among(threads) == 0U);
    }
    // The floors are for busy machines and sanitizers; a stall is far above.
    BOOST_TEST(
        (attacked.percentile(99) <= std::max<clock::duration>(2 * quiet.percentile(99), 250ms)));
    BOOST_TEST(
        (attacked.percentile(100) <= std::max<clock::duration>(2 * quiet.percentile(100), 900ms)));
    BOOST_TEST_MESSAGE("p99, quiet and attacked: " << quiet.percentile(99) / 1us << " us, "
                                                   << attacked.percentile(99) / 1us << " us");
  }
}

BOOST_AUTO_TEST_SUITE_END()
