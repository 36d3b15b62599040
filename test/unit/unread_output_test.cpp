// unread_output: exact where the kernel tells, and never asked too often.

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <upcase/file_descriptor.hpp>
#include <upcase/unread_output.hpp>

#include "support/client.hpp"
#include "support/skip.hpp"

namespace {

using namespace std::chrono_literals;

struct connection {
  connection() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    here.reset(ends[0]);
    there.reset(ends[1]);
  }

  upcase::file_descriptor here;
  upcase::file_descriptor there;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(unread_output)

BOOST_AUTO_TEST_CASE(it_counts_every_byte) {
  const connection pair;
  upcase::unread_output unread;
  BOOST_TEST(upcase::unread_output::none(pair.here.get()));
  BOOST_TEST(unread.count(pair.here.get()) == 0U);
  std::uint64_t left = 100'000;
  test::send_all(pair.here.get(), std::string(left, 'x'));
  for (const std::size_t part : {1U, 99U, 36'000U, 63'000U, 899U}) {
    BOOST_TEST(unread.count(pair.here.get()) == left);
    BOOST_REQUIRE(test::receive(pair.there.get(), part).size() == part);
    left -= part;
  }
  BOOST_TEST(unread.count(pair.here.get()) == 1U);
  BOOST_TEST(!upcase::unread_output::none(pair.here.get()));
}

BOOST_AUTO_TEST_CASE(what_sock_diag_does_not_know_is_counted_in_the_kernels_buffers) {
  SKIP_UNLESS(test::is_root(), "only root makes a network namespace");
  std::optional<connection> pair;
  std::jthread([&pair] {
    if (::unshare(CLONE_NEWNET) == 0) {
      pair.emplace();
    }
  }).join();
  BOOST_REQUIRE(pair.has_value());
  test::send_all(pair->here.get(), std::string(100'000, 'x'));
  upcase::unread_output unread;
  const auto all = unread.count(pair->here.get());
  BOOST_TEST(all > 100'000U);  // with what the kernel needs for them
  BOOST_REQUIRE(test::receive(pair->there.get(), 100).size() == 100U);
  BOOST_TEST(unread.count(pair->here.get()) == all);
  BOOST_REQUIRE(test::receive(pair->there.get(), 50'000).size() == 50'000U);
  BOOST_TEST(unread.count(pair->here.get()) < all);
}

BOOST_AUTO_TEST_CASE(turns_are_given_one_after_the_other) {
  const connection pair;
  upcase::unread_output unread;
  const auto now = std::chrono::steady_clock::now();
  BOOST_TEST((unread.wait(now) == 0ns));
  (void)unread.count(pair.here.get());
  upcase::duration last = 0ns;
  for (int i = 0; i < 5; ++i) {
    const upcase::duration next = unread.wait(now);
    BOOST_TEST((next > last));
    last = next;
  }
  BOOST_TEST((unread.wait(now + last) == 0ns));
}

BOOST_AUTO_TEST_SUITE_END()
