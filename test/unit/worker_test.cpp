// worker: what a server can rely on when a client of one of its loops ends.

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <sys/socket.h>
#include <thread>
#include <upcase/file_descriptor.hpp>
#include <upcase/quota.hpp>
#include <upcase/session.hpp>
#include <upcase/worker.hpp>

#include "support/process.hpp"
#include "support/running_server.hpp"

namespace {

enum class end_seen { not_yet, no, yes };

// Whether the peer of `socket` has closed it by now.
bool is_closed(int socket) {
  char byte = 0;
  return ::recv(socket, &byte, 1, MSG_DONTWAIT) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(worker)

BOOST_AUTO_TEST_CASE(a_client_is_gone_when_its_socket_is_closed_and_its_charge_is_back) {
  int ends[2];
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  const upcase::file_descriptor client(ends[0]);
  upcase::quota users(1);
  test::memory_log journal;
  const upcase::handler serve = upcase::uppercase_session;
  std::atomic<end_seen> seen = end_seen::not_yet;
  std::atomic<std::size_t> held = 1;
  const std::atomic<std::ptrdiff_t> spare = 1000;
  upcase::worker worker({.serve = serve,
                         .journal = journal,
                         .spare_descriptors = spare,
                         .client_gone =
                             [&] {
                               held = users.held_by(7);
                               seen = is_closed(client.get()) ? end_seen::yes : end_seen::no;
                             },
                         .released = [] {},
                         .answered = [] {}},
                        {});
  worker.take({.id = 1,
               .who = {.uid = 7, .gid = 7, .pid = 7},
               .since = {},
               .socket = upcase::file_descriptor(ends[1]),
               .progress = {},
               .charge = users.take(7)});
  std::jthread runner([&] { worker.run({}); });
  BOOST_REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
  BOOST_TEST(test::eventually([&] { return seen != end_seen::not_yet; }));
  worker.stop();
  runner.join();
  BOOST_TEST((seen == end_seen::yes));
  BOOST_TEST(held == 0U);
  BOOST_TEST(worker.clients() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
