// echo: bytes through a running daemon come back uppercased, all of them, in
// order, whatever their size and timing.

#include <boost/test/unit_test.hpp>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"

BOOST_AUTO_TEST_SUITE(echo)

BOOST_AUTO_TEST_CASE(every_byte_value_as_toupper_has_it) {
  const test::daemon daemon;
  const auto client = daemon.connect();
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  test::send_all(client.get(), all);
  BOOST_TEST(test::receive(client.get(), all.size()) == test::reference_uppercase(all));
}

BOOST_AUTO_TEST_CASE(one_byte_at_a_time) {
  const test::daemon daemon;
  const auto client = daemon.connect();
  for (const char c : std::string("One byte at a time, answered each.")) {
    test::send_all(client.get(), {&c, 1});
    BOOST_TEST(test::receive(client.get(), 1) == test::reference_uppercase({c}));
  }
}

BOOST_AUTO_TEST_CASE(much_at_once_then_half_close) {
  const test::daemon daemon;
  const auto client = daemon.connect();
  const std::string bytes = test::random_bytes(std::size_t{48} << 20U);
  std::thread writer([&] {
    test::send_all(client.get(), bytes);
    ::shutdown(client.get(), SHUT_WR);
  });
  const std::string answer = test::receive_to_end(client.get());
  writer.join();
  // Not BOOST_TEST(a == b): a failure must not print 96 MiB.
  BOOST_TEST((answer == test::reference_uppercase(bytes)));
  BOOST_TEST(daemon.logged("reason=closed in=50331648 out=50331648"));
}

BOOST_AUTO_TEST_CASE(six_hundred_clients_interleaved) {
  const test::daemon daemon;
  std::vector<upcase::file_descriptor> clients;
  for (int i = 0; i < 600; ++i) {
    clients.push_back(daemon.connect());
  }
  for (int round = 0; round < 5; ++round) {
    const auto message = [&](std::size_t i) {
      return "client " + std::to_string(i) + " round " + std::to_string(round);
    };
    for (std::size_t i = 0; i < clients.size(); ++i) {
      test::send_all(clients[i].get(), message(i));
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const std::string expected = test::reference_uppercase(message(i));
      BOOST_REQUIRE_EQUAL(test::receive(clients[i].get(), expected.size()), expected);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
