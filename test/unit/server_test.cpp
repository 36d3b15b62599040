// server: admission, limits and stop, in one process, with memory or without.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <functional>
#include <new>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "support/failing_allocation.hpp"
#include "support/running_server.hpp"

namespace {

using namespace std::chrono_literals;
using test::running_server;

bool serves(running_server& server) {
  const auto client = server.connect();
  test::send_all(client.get(), "x");
  return server.receive(client.get(), 1) == "X";
}

// Without reading anything.
bool has_news(int client) {
  char byte = 0;
  const ssize_t got = ::recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

using clients = std::vector<upcase::file_descriptor>;

clients connect(const running_server& server, int count) {
  clients all;
  for (int i = 0; i < count; ++i) {
    all.push_back(server.connect());
    test::send_all(all.back().get(), "x");
  }
  return all;
}

bool all_have_news(const clients& all) {
  return std::ranges::all_of(all, [](const auto& client) { return has_news(client.get()); });
}

// Lets each allocation of a server's work fail in turn, until none is left to
// fail. It must neither throw nor stop serving. `work` begins it, given clients
// that `prepare` has brought; `done` ends it, and asks for no memory itself.
void with_each_allocation_failing(
    const upcase::settings& config, const std::function<clients(running_server&)>& prepare,
    const std::function<void(running_server&, clients&)>& work,
    const std::function<bool(const running_server&, const clients&)>& done) {
  for (const std::size_t threads : {1U, 2U}) {
    std::size_t skipped = 0;
    for (bool failed = true; failed; ++skipped) {
      running_server server(config, threads);
      server->start();
      server.run(1ms);
      clients all = prepare(server);
      const std::function<bool()> over = [&] { return done(server, all); };
      {
        const test::failing_allocation one(skipped);
        work(server, all);
        BOOST_REQUIRE(server.run_until(over));
        failed = one.happened();
      }
      all.clear();
      BOOST_REQUIRE(server.run_until([&] { return server->status().clients == 0; }));
      BOOST_REQUIRE_MESSAGE(serves(server), threads << " threads, allocation " << skipped << ":\n"
                                                    << server.log());
    }
    BOOST_TEST(skipped > 1U);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server)

BOOST_AUTO_TEST_CASE(no_memory_to_admit) {
  auto config = test::roomy();
  config.access.allow_groups = {::getegid()};
  config.access.deny_groups = {static_cast<gid_t>(-2)};
  with_each_allocation_failing(
      config, [](running_server& server) { return connect(server, 2); },
      [](running_server&, clients&) {},
      [](const running_server&, const clients& all) { return all_have_news(all); });
}

BOOST_AUTO_TEST_CASE(no_memory_to_refuse) {
  auto config = test::roomy();
  config.max_clients_per_user = 1;
  with_each_allocation_failing(
      config, [](running_server& server) { return connect(server, 8); },
      [](running_server&, clients&) {},
      [](const running_server&, const clients& all) { return all_have_news(all); });
}

BOOST_AUTO_TEST_CASE(no_memory_when_a_client_leaves_and_another_waits) {
  auto config = test::roomy();
  config.max_clients = 1;
  with_each_allocation_failing(
      config,
      [](running_server& server) {
        clients all = connect(server, 1);
        BOOST_TEST(server.receive(all[0].get(), 1) == "X");
        all.push_back(std::move(connect(server, 1)[0]));
        server.run(5ms);
        return all;
      },
      [](running_server&, clients& all) { all[0].reset(); },
      [](const running_server&, const clients& all) { return has_news(all[1].get()); });
}

BOOST_AUTO_TEST_CASE(no_memory_to_ask_the_rules_again) {
  auto config = test::roomy();
  config.idle_timeout = 1h;
  auto changed = config;
  changed.access.deny_groups = {static_cast<gid_t>(-2)};
  changed.idle_timeout = 30min;
  with_each_allocation_failing(
      config,
      [](running_server& server) {
        clients all = connect(server, 4);
        for (const auto& client : all) {
          BOOST_TEST(server.receive(client.get(), 1) == "X");
        }
        return all;
      },
      [&](running_server& server, clients& all) {
        try {
          server->reload(changed, {});
        } catch (const std::bad_alloc&) {
          // That much the caller is told.
        }
        server.run(2ms);
        for (const auto& client : all) {
          ::send(client.get(), "y", 1, MSG_NOSIGNAL);  // some may be gone
        }
      },
      [](const running_server&, const clients& all) { return all_have_news(all); });
}

BOOST_AUTO_TEST_SUITE_END()
