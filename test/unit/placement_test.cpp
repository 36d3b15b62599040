// placement: which clients a server takes, how many at once, and on which of its
// event loops they are served.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>
#include <upcase/descriptor_closer.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/settings.hpp>
#include <upcase/system_calls.hpp>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "support/running_server.hpp"

namespace {

using namespace std::chrono_literals;
using test::running_server;
using clients = std::vector<upcase::file_descriptor>;

std::mutex mutex;
std::map<pid_t, int> served_on;  // thread to clients

// Echoes, and counts the client for the thread that serves it.
upcase::task count_and_echo(upcase::stream& client, const upcase::peer& /*who*/) {
  {
    const std::scoped_lock lock(mutex);
    ++served_on[::gettid()];
  }
  for (auto bytes = co_await client.read(); !bytes.empty(); bytes = co_await client.read()) {
    co_await client.write(bytes);
  }
}

clients connect(const running_server& server, int count) {
  clients all(static_cast<std::size_t>(count));
  std::ranges::generate(all, [&] { return server.connect(); });
  return all;
}

// Lowers the limit of open files for as long as it lives.
class open_files {
 public:
  explicit open_files(std::size_t most) {
    BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit low{.rlim_cur = most, .rlim_max = before_.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  }
  open_files(const open_files&) = delete;
  open_files& operator=(const open_files&) = delete;
  ~open_files() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// So many descriptors wait to be closed for as long as it lives.
class waiting_descriptors {
 public:
  explicit waiting_descriptors(int count) {
    closer().hold();
    for (int i = 0; i < count; ++i) {
      closer().close(upcase::make_eventfd().release());
    }
  }
  waiting_descriptors(const waiting_descriptors&) = delete;
  waiting_descriptors& operator=(const waiting_descriptors&) = delete;
  ~waiting_descriptors() {
    closer().go_on();
    BOOST_TEST(closer().finish(test::patience));
  }

 private:
  static upcase::descriptor_closer& closer() { return upcase::descriptor_closer::of_process(); }
};

std::size_t count(const running_server& server, std::string_view text) {
  return test::occurrences(server.log(), text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(placement)

BOOST_AUTO_TEST_CASE(clients_are_spread_evenly_over_the_loops) {
  running_server server(test::roomy(), 3, count_and_echo);
  server->start();
  const clients all = connect(server, 9);
  for (const auto& client : all) {
    test::send_all(client.get(), "x");
    BOOST_REQUIRE(server.receive(client.get(), 1) == "x");
  }
  const std::scoped_lock lock(mutex);
  BOOST_TEST(served_on.size() == 3U);
  for (const auto& [thread, count] : served_on) {
    BOOST_TEST(count == 3);
  }
}

BOOST_AUTO_TEST_CASE(no_more_than_max_clients_are_taken_of_those_that_wait) {
  auto config = test::roomy();
  config.max_clients = 2;
  running_server server(config);
  clients all = connect(server, 10);
  server->start();
  BOOST_TEST(server.run_until([&] { return server->status().served == 2; }));
  server.run(std::chrono::milliseconds(20));
  BOOST_TEST(server->status().served == 2U);
  // Each one that goes makes place for one.
  for (std::size_t i = 0; i < all.size(); ++i) {
    test::send_all(all[i].get(), "x");
    BOOST_TEST(server.receive(all[i].get(), 1) == "X");
    BOOST_TEST(server->status().served <= i + 2);
    all[i].reset();
  }
}

BOOST_AUTO_TEST_CASE(being_full_again_and_again_is_logged_once) {
  auto config = test::roomy();
  config.max_clients = 1;
  running_server server(config);
  server->start();
  for (int round = 0; round < 3; ++round) {
    clients all = connect(server, 2);
    for (auto& client : all) {
      test::send_all(client.get(), "x");
      BOOST_REQUIRE(server.receive(client.get(), 1) == "X");
      client.reset();
    }
    BOOST_REQUIRE(server.run_until([&] { return server->status().clients == 0; }));
  }
  BOOST_TEST(count(server, "accepting=paused") == 1U);
  BOOST_TEST(count(server, "accepting=resumed") == 1U);
}

BOOST_AUTO_TEST_CASE(while_descriptors_wait_to_be_closed_others_are_served_if_there_is_room) {
  running_server server;
  server->start();
  const waiting_descriptors some(20);
  const auto client = server.connect();
  test::send_all(client.get(), "x");
  BOOST_TEST(server.receive(client.get(), 1) == "X");
  BOOST_TEST(count(server, "accepting=paused") == 0U);
}

BOOST_AUTO_TEST_CASE(descriptors_that_wait_to_be_closed_have_the_last_places) {
  std::optional<running_server> server;
  {
    const open_files few(upcase::reserved_descriptors(test::roomy()) + 5);
    server.emplace();
  }
  (*server)->start();
  std::optional<waiting_descriptors> some(20);
  const auto client = server->connect();
  test::send_all(client.get(), "x");
  BOOST_TEST(server->run_until([&] { return count(*server, "accepting=paused") == 1; }));
  BOOST_TEST(test::receive(client.get(), 1, 0ns) == "");
  some.reset();
  BOOST_TEST(server->receive(client.get(), 1) == "X");
  BOOST_TEST(count(*server, "accepting=resumed") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
