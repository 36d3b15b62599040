// echo: bytes through a running daemon come back uppercased, all of them.

#include <boost/test/unit_test.hpp>
#include <sys/socket.h>

#include "support/client.hpp"
#include "support/daemon.hpp"

BOOST_AUTO_TEST_SUITE(echo)

BOOST_AUTO_TEST_CASE(every_byte_value_as_toupper_has_it) {
  const test::daemon daemon;
  const auto client = test::connect_client(daemon.socket(), daemon.clients());
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  test::send_all(client.get(), all);
  BOOST_TEST(test::receive(client.get(), all.size()) == test::reference_uppercase(all));
}

BOOST_AUTO_TEST_SUITE_END()
