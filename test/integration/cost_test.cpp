// cost: what a client costs the daemon, in system calls and in memory. Counted,
// not timed, so that it is the same on every machine; the README promises these
// numbers. Times are measured in bench/.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <map>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"
#include "support/tracer.hpp"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#else
#define UNDER_SANITIZER 0
#endif

namespace {

using namespace std::chrono_literals;

constexpr std::size_t round_trips = 200;
constexpr std::size_t connections = 200;

// Calls so far, by name.
std::map<std::string, std::size_t> calls(const test::tracer& trace) {
  std::map<std::string, std::size_t> result;
  std::istringstream lines(trace.output());
  for (std::string line; std::getline(lines, line);) {
    const auto begin = line.find_first_not_of("0123456789 ");
    const auto end = line.find('(');
    if (begin != std::string::npos && end != std::string::npos) {
      ++result[line.substr(begin, end - begin)];
    }
  }
  return result;
}

// What `action` makes the daemon call, once it is quiet again.
template <typename Action>
std::size_t calls_during(const test::tracer& trace, Action action) {
  const auto sum = [&] {
    std::size_t all = 0;
    for (const auto& [name, count] : calls(trace)) {
      all += count;
    }
    return all;
  };
  std::this_thread::sleep_for(200ms);
  const std::size_t before = sum();
  action();
  std::this_thread::sleep_for(200ms);
  return sum() - before;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cost)

BOOST_AUTO_TEST_CASE(system_calls) {
  SKIP_UNLESS(UNDER_SANITIZER == 0, "sanitizers make calls of their own");
  // Logging is another cost. It is turned off by a reload, that of a key which
  // needs a restart being told at any level.
  const test::daemon daemon({.arguments = {"--threads", "1"}, .config = ""});
  test::write_file(daemon.config(), "log-level = warning\nbacklog = 100\n");
  daemon.signal(SIGHUP);
  BOOST_REQUIRE(daemon.logged("needs-restart=backlog"));
  const auto client = daemon.connect();
  BOOST_TEST(test::served(client.get()));
  const test::tracer trace(daemon.pid(), {"-f"});
  SKIP_UNLESS(trace.attached(), "strace(1) cannot trace here");

  BOOST_TEST(calls_during(trace, [] { std::this_thread::sleep_for(1500ms); }) == 0U);

  const std::size_t talking = calls_during(trace, [&] {
    for (std::size_t i = 0; i < round_trips; ++i) {
      BOOST_REQUIRE(test::served(client.get()));
    }
  });
  BOOST_TEST_MESSAGE("a round trip: " << static_cast<double>(talking) / round_trips);
  BOOST_TEST(talking <= 3 * round_trips + 5);

  const std::size_t connecting = calls_during(trace, [&] {
    for (std::size_t i = 0; i < connections; ++i) {
      BOOST_REQUIRE(test::served(daemon.connect().get()));
    }
  });
  BOOST_TEST_MESSAGE("a connection: " << static_cast<double>(connecting) / connections);
  for (const auto& [name, count] : calls(trace)) {
    BOOST_TEST_MESSAGE(name << ' ' << count);
  }
  BOOST_TEST(connecting <= 24 * connections + 5);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_may_spin_makes_no_system_call_while_it_is_idle) {
  SKIP_UNLESS(UNDER_SANITIZER == 0, "sanitizers make calls of their own");
  const test::daemon daemon({.arguments = {"--busy-poll", "auto"}});
  const auto client = daemon.connect();
  BOOST_TEST(test::served(client.get()));
  const test::tracer trace(daemon.pid(), {"-f"});
  SKIP_UNLESS(trace.attached(), "strace(1) cannot trace here");
  BOOST_TEST(calls_during(trace, [] { std::this_thread::sleep_for(1500ms); }) == 0U);
}

BOOST_AUTO_TEST_CASE(memory_of_an_idle_client) {
  SKIP_UNLESS(UNDER_SANITIZER == 0, "sanitizers need memory of their own");
  rlimit limit{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  const std::size_t count = std::min<rlim_t>(10'000, limit.rlim_max - 100);
  SKIP_UNLESS(count >= 1000, "so few descriptors are allowed here that pages would be counted");

  const test::daemon daemon;
  const auto bytes = [&] {
    return std::stoul(test::status_field(daemon.pid(), "RssAnon:")) * 1024;
  };
  std::vector<upcase::file_descriptor> clients;
  const auto add = [&](std::size_t up_to) {
    while (clients.size() < up_to) {
      clients.push_back(daemon.connect());
    }
    BOOST_TEST(test::served(clients.back().get()));
  };
  add(count / 10);
  const std::size_t before = bytes();
  add(count);
  const std::size_t each = (bytes() - before) / (count - count / 10);
  BOOST_TEST_MESSAGE("an idle client: " << each << " bytes");
  BOOST_TEST(each <= 640U);
}

BOOST_AUTO_TEST_SUITE_END()
