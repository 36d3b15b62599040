// relay: how the daemon's end of the connection came.

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <upcase/relay.hpp>

namespace {

using upcase::file_descriptor;
using outcome = upcase::relay_result::outcome;

// The outcome of sending a line to a peer that reads nothing and ends so.
template <typename End>
upcase::relay_result sent_unread(End end) {
  std::array<int, 2> pair{};
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  const file_descriptor ours(pair[0]);
  file_descriptor peers(pair[1]);
  std::thread peer([&peers, end] {
    pollfd sent{.fd = peers.get(), .events = POLLRDHUP, .revents = 0};
    ::poll(&sent, 1, 5000);
    end(peers);
  });
  const file_descriptor output(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  const auto result = upcase::relay({.socket = ours.get(),
                                     .text = "line\n",
                                     .output = output.get(),
                                     .timeout = std::chrono::seconds(30),
                                     .progress = {}});
  peer.join();
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(relay)

BOOST_AUTO_TEST_CASE(a_close_with_bytes_unread_is_a_reset) {
  const auto result = sent_unread([](file_descriptor& peer) { peer.reset(); });
  BOOST_TEST((result.how == outcome::cut_off));
  BOOST_TEST(result.reset);
}

BOOST_AUTO_TEST_CASE(a_half_close_is_none) {
  const auto result =
      sent_unread([](const file_descriptor& peer) { ::shutdown(peer.get(), SHUT_WR); });
  BOOST_TEST((result.how == outcome::cut_off));
  BOOST_TEST(!result.reset);
}

BOOST_AUTO_TEST_SUITE_END()
