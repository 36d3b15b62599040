// descriptor_closer and client_descriptor: what clients send is noticed, and its
// closing holds up nobody.

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <upcase/client_descriptor.hpp>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "support/lingering_socket.hpp"
#include "support/process.hpp"

namespace {

using namespace std::chrono_literals;
using upcase::file_descriptor;

constexpr auto prompt = 5s;  // a sixth of what the sockets would linger

std::pair<file_descriptor, file_descriptor> connected_pair() {
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {file_descriptor(ends[0]), file_descriptor(ends[1])};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(descriptor_closer)

BOOST_AUTO_TEST_CASE(what_lingers_is_cut_short) {
  upcase::descriptor_closer closer(2);
  std::array<test::lingering_socket, 5> all;
  const auto began = std::chrono::steady_clock::now();
  for (auto& each : all) {
    closer.close(each.socket.release());
  }
  BOOST_TEST(closer.finish(prompt));
  BOOST_TEST((std::chrono::steady_clock::now() - began < prompt));
}

BOOST_AUTO_TEST_CASE(a_queue_full_of_them_goes_at_once) {
  upcase::descriptor_closer closer(1);
  auto [client, server] = connected_pair();
  std::array<test::lingering_socket, 5> all;
  for (auto& each : all) {
    BOOST_REQUIRE(test::send_descriptors(client.get(), {each.socket.get()}) == 0);
    each.socket.reset();
  }
  closer.close(server.release());
  BOOST_TEST(closer.finish(prompt));
}

BOOST_AUTO_TEST_CASE(nothing_is_closed_while_it_is_held) {
  upcase::descriptor_closer closer(2);
  auto [client, server] = connected_pair();
  closer.hold();
  closer.close(server.release());
  BOOST_TEST(!closer.finish(50ms));
  BOOST_TEST(closer.pending() == 1U);
  BOOST_TEST(::send(client.get(), "x", 1, MSG_NOSIGNAL) == 1);
  closer.go_on();
  BOOST_TEST(closer.finish(prompt));
  BOOST_TEST(::send(client.get(), "x", 1, MSG_NOSIGNAL) == -1);
}

BOOST_AUTO_TEST_CASE(bytes_alone_are_just_bytes) {
  for (const bool room : {true, false}) {
    const auto [client, server] = connected_pair();
    std::array<char, 16> buffer{};
    BOOST_TEST(upcase::receive_guarded(server.get(), buffer, room).size == -1);
    test::send_all(client.get(), "hello");
    const auto got = upcase::receive_guarded(server.get(), buffer, room);
    BOOST_TEST(got.size == 5);
    BOOST_TEST(!got.descriptors);
    BOOST_TEST(std::string(buffer.data(), 5) == "hello");
    BOOST_REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
    BOOST_TEST(upcase::receive_guarded(server.get(), buffer, room).size == 0);
  }
}

BOOST_AUTO_TEST_CASE(descriptors_are_noticed_urgent_or_not) {
  for (const bool room : {true, false}) {
    for (const int flags : {0, int{MSG_OOB}}) {
      const auto [client, server] = connected_pair();
      upcase::read_urgent_data_inline(server.get());
      auto [other_end, sent] = connected_pair();
      BOOST_REQUIRE(test::send_descriptors(client.get(), {sent.get()}, flags) == 0);
      sent.reset();
      std::array<char, 16> buffer{};
      const auto got = upcase::receive_guarded(server.get(), buffer, room);
      BOOST_TEST(got.size == 1);
      BOOST_TEST(got.descriptors);
      // Received, it is closed; else it is still in there.
      BOOST_TEST(test::refused(other_end.get(), room ? prompt : 0s) == room);
    }
  }
}

BOOST_AUTO_TEST_CASE(all_that_come_at_once_are_closed) {
  const auto [client, server] = connected_pair();
  std::array<std::pair<file_descriptor, file_descriptor>, 3> sent;
  std::vector<int> numbers;
  for (auto& each : sent) {
    each = connected_pair();
    numbers.push_back(each.second.get());
  }
  BOOST_REQUIRE(test::send_descriptors(client.get(), numbers) == 0);
  for (auto& each : sent) {
    each.second.reset();
  }
  std::array<char, 16> buffer{};
  BOOST_TEST(upcase::receive_guarded(server.get(), buffer, true).descriptors);
  for (const auto& each : sent) {
    BOOST_TEST(test::refused(each.first.get(), prompt));
  }
}

BOOST_AUTO_TEST_CASE(one_for_which_no_number_is_left_is_noticed) {
  const auto [client, server] = connected_pair();
  BOOST_REQUIRE(test::send_descriptors(client.get(), {client.get()}) == 0);
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  std::array<char, 16> buffer{};
  const auto got = upcase::receive_guarded(server.get(), buffer, true);
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(got.size == 1);
  BOOST_TEST(got.descriptors);
}

BOOST_AUTO_TEST_CASE(a_connection_that_refuses_them_holds_none) {
  const auto [client, server] = connected_pair();
  BOOST_TEST(upcase::may_hold_descriptors(server.get()));
  if (upcase::refuse_descriptors(server.get())) {
    BOOST_TEST(!upcase::may_hold_descriptors(server.get()));
    BOOST_TEST(test::send_descriptors(client.get(), {STDERR_FILENO}) == EPERM);
    BOOST_TEST(test::send_descriptors(client.get(), {STDERR_FILENO}, MSG_OOB) == EPERM);
  }
}

BOOST_AUTO_TEST_SUITE_END()
