// placement: which clients a server takes, how many at once, and on which of its
// event loops they are served.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <map>
#include <mutex>
#include <string_view>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "support/running_server.hpp"

namespace {

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

BOOST_AUTO_TEST_SUITE_END()
