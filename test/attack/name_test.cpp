// name: clients whose address is not what the check demands. Each gets its own
// verdict, and the daemon goes on serving.

#include <boost/test/unit_test.hpp>

#include "support/client.hpp"
#include "support/daemon.hpp"

BOOST_AUTO_TEST_SUITE(name)

BOOST_AUTO_TEST_CASE(unnamed) {
  const test::daemon daemon;
  const auto client = test::make_socket();
  test::connect_to(client.get(), daemon.socket());
  BOOST_TEST(test::refused(client.get()));
  BOOST_TEST(daemon.logged("verdict=unnamed"));
  BOOST_TEST(test::served(test::connect_client(daemon.socket(), daemon.clients()).get()));
}

BOOST_AUTO_TEST_SUITE_END()
