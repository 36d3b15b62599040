// peer: what the kernel says of who is at the other end.

#include <boost/test/unit_test.hpp>
#include <grp.h>
#include <numeric>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>
#include <upcase/access.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/peer.hpp>
#include <vector>

#include "support/process.hpp"
#include "support/skip.hpp"

namespace {

struct pair {
  upcase::file_descriptor one;
  upcase::file_descriptor other;
};

// Each end's peer is this process.
pair make_pair() {
  int ends[2];
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {upcase::file_descriptor(ends[0]), upcase::file_descriptor(ends[1])};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(peers)

BOOST_AUTO_TEST_CASE(a_connected_socket_has_one) {
  const pair ends = make_pair();
  const auto who = upcase::peer_of(ends.one.get());
  BOOST_REQUIRE(who.has_value());
  BOOST_TEST(who->uid == ::geteuid());
  BOOST_TEST(who->gid == ::getegid());
  BOOST_TEST(who->pid == ::getpid());
}

BOOST_AUTO_TEST_CASE(what_is_no_socket_has_none) {
  BOOST_TEST(!upcase::peer_of(STDIN_FILENO).has_value());
  BOOST_TEST(!upcase::groups_of(-1).has_value());
}

BOOST_AUTO_TEST_CASE(a_user_has_all_groups_and_no_others) {
  SKIP_UNLESS(test::is_root(), "needs root to join groups");
  constexpr gid_t first = 60'000;
  // Fewer than are asked for at first, and more.
  for (const std::size_t count : {3U, 100U}) {
    const auto code = test::run_as(0, 0, [count] {
      std::vector<gid_t> groups(count);
      std::iota(groups.begin(), groups.end(), first);
      if (::setgroups(groups.size(), groups.data()) != 0) {
        return 1;
      }
      const pair ends = make_pair();
      if (upcase::groups_of(ends.one.get()) != groups) {
        return 2;
      }
      // The last one decides.
      upcase::access_rules rules;
      rules.allow_groups = {groups.back()};
      const auto look_up = [&ends] { return upcase::groups_of(ends.one.get()); };
      return rules.admits({.uid = 1, .gid = 1, .pid = 1}, look_up) ? 0 : 3;
    });
    BOOST_TEST(code.value_or(-1) == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
