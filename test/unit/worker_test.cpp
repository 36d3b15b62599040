// worker: what a server can rely on when a client of one of its loops ends.

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <upcase/file_descriptor.hpp>
#include <upcase/quota.hpp>
#include <upcase/session.hpp>
#include <upcase/worker.hpp>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "support/process.hpp"
#include "support/running_server.hpp"

namespace {

enum class end_seen { not_yet, no, yes };

// Whether the peer of `socket` has closed it by now.
bool is_closed(int socket) {
  char byte = 0;
  return ::recv(socket, &byte, 1, MSG_DONTWAIT) == 0;
}

// A socket, and a client of user `uid` at its other end.
struct connection {
  upcase::file_descriptor client;
  upcase::admitted_client served;
};

connection connect(std::uint64_t id, uid_t uid) {
  int ends[2];
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  connection result;
  result.client.reset(ends[0]);
  result.served.id = id;
  result.served.who = {.uid = uid, .gid = uid, .pid = 1};
  result.served.socket.reset(ends[1]);
  return result;
}

std::shared_ptr<const upcase::worker::conditions> denying(std::vector<uid_t> users) {
  upcase::access_rules rules;
  rules.deny_users = std::move(users);
  return std::make_shared<const upcase::worker::conditions>(
      upcase::worker::conditions{.rules = std::move(rules), .timeouts = {}});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(worker)

BOOST_AUTO_TEST_CASE(a_client_is_gone_when_its_socket_is_closed_and_its_charge_is_back) {
  connection one = connect(1, 7);
  upcase::quota users(1);
  one.served.charge = users.take(7);
  test::memory_log journal;
  const upcase::handler serve = upcase::uppercase_session;
  const std::atomic<std::ptrdiff_t> spare = 1000;
  std::atomic<end_seen> seen = end_seen::not_yet;
  std::atomic<std::size_t> held = 1;
  upcase::worker worker({.serve = serve,
                         .journal = journal,
                         .spare_descriptors = spare,
                         .client_gone =
                             [&] {
                               held = users.held_by(7);
                               seen = is_closed(one.client.get()) ? end_seen::yes : end_seen::no;
                             },
                         .released = [] {},
                         .answered = [] {}},
                        {});
  worker.take(std::move(one.served), denying({}));
  std::jthread runner([&] { worker.run({}); });
  BOOST_REQUIRE(::shutdown(one.client.get(), SHUT_WR) == 0);
  BOOST_TEST(test::eventually([&] { return seen != end_seen::not_yet; }));
  worker.stop();
  runner.join();
  BOOST_TEST((seen == end_seen::yes));
  BOOST_TEST(held == 0U);
  BOOST_TEST(worker.clients() == 0U);
}

BOOST_AUTO_TEST_CASE(who_was_admitted_before_a_reload_and_served_after_it_obeys_the_new_rules) {
  connection old = connect(1, 7);
  connection fresh = connect(2, 8);
  test::memory_log journal;
  const upcase::handler serve = upcase::uppercase_session;
  const std::atomic<std::ptrdiff_t> spare = 1000;
  upcase::worker worker({.serve = serve,
                         .journal = journal,
                         .spare_descriptors = spare,
                         .client_gone = [] {},
                         .released = [] {},
                         .answered = [] {}},
                        {});
  // All of it happens before the worker comes round, as where it is busy.
  const auto first = denying({});
  const auto second = denying({8});
  worker.take(std::move(old.served), first);
  worker.reconsider(first);
  worker.take(std::move(fresh.served), first);
  worker.reconsider(second);
  std::jthread runner([&] { worker.run({}); });
  BOOST_TEST(test::eventually([&] { return is_closed(fresh.client.get()); }));
  BOOST_TEST(test::eventually([&] { return worker.clients() == 1; }));
  BOOST_TEST(test::served(old.client.get()));
  worker.stop();
  runner.join();
  BOOST_TEST(journal.lines().find("end client=2 uid=8 pid=1 reason=denied") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
