// relay: how the daemon's end of the connection came, and what is printed before.

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <upcase/relay.hpp>
#include <utility>

#include "support/client.hpp"
#include "support/process.hpp"

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

// The outcome of sending what `input` gives to a peer that does this; and what was printed.
template <typename Behaviour>
std::pair<upcase::relay_result, std::string> relay_to(int input, Behaviour behave,
                                                      std::chrono::nanoseconds timeout) {
  std::array<int, 2> pair{};
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  file_descriptor ours(pair[0]);
  const file_descriptor peers(pair[1]);
  std::array<int, 2> pipe{};
  BOOST_REQUIRE(::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  const file_descriptor printed(pipe[0]);
  const file_descriptor output(pipe[1]);
  std::thread peer([&] { behave(peers.get()); });
  const auto result = upcase::relay({.socket = ours.get(),
                                     .text = {},
                                     .input = input,
                                     .output = output.get(),
                                     .timeout = timeout,
                                     .progress = {}});
  ours.reset();
  peer.join();
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(
      std::max<ssize_t>(::read(printed.get(), text.data(), text.size()), 0)));
  return {result, text};
}

// A pipe, the text already in it.
struct filled_pipe {
  explicit filled_pipe(std::string_view text) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    reading_end.reset(ends[0]);
    writing_end.reset(ends[1]);
    BOOST_REQUIRE(::write(writing_end.get(), text.data(), text.size()) ==
                  static_cast<ssize_t>(text.size()));
  }

  file_descriptor reading_end;
  file_descriptor writing_end;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(relay)

BOOST_AUTO_TEST_CASE(no_more_is_printed_than_was_sent) {
  filled_pipe input("abc");
  input.writing_end.reset();
  const auto [result, printed] = relay_to(
      input.reading_end.get(),
      [](int socket) {
        if (test::receive(socket, 3) == "abc") {
          test::send_all(socket, "ABCD");
        }
      },
      test::patience);
  BOOST_TEST((result.how == outcome::surplus));
  BOOST_TEST(printed == "ABC");
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_cut_off_is_none) {
  filled_pipe input("abc");
  input.writing_end.reset();
  const auto [result, printed] = relay_to(
      input.reading_end.get(),
      [](int socket) {
        test::receive_to_end(socket);
        test::send_all(socket, "AB");
        ::shutdown(socket, SHUT_WR);
      },
      test::patience);
  BOOST_TEST((result.how == outcome::cut_off));
  BOOST_TEST(printed == "AB");
  BOOST_TEST(result.sent == 3U);
  BOOST_TEST(result.answered == 2U);
}

BOOST_AUTO_TEST_CASE(the_time_that_the_input_takes_is_not_the_daemons) {
  constexpr auto timeout = std::chrono::milliseconds(100);
  filled_pipe input("abc");
  const auto [result, printed] = relay_to(
      input.reading_end.get(),
      [&](int socket) {
        test::receive(socket, 3);
        test::send_all(socket, "ABC");
        std::this_thread::sleep_for(3 * timeout);
        input.writing_end.reset();
        test::receive_to_end(socket);
        ::shutdown(socket, SHUT_WR);
      },
      timeout);
  BOOST_TEST((result.how == outcome::done));
  BOOST_TEST(printed == "ABC");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_does_not_answer_in_time_is_given_up) {
  filled_pipe input("abc");
  const auto [result, printed] = relay_to(
      input.reading_end.get(), [](int socket) { test::receive_to_end(socket); },
      std::chrono::milliseconds(50));
  BOOST_TEST((result.how == outcome::timed_out));
}

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
