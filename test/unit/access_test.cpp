// access and quota: who may in, and how often.

#include <boost/test/unit_test.hpp>
#include <optional>
#include <upcase/access.hpp>
#include <upcase/quota.hpp>
#include <vector>

namespace {

const upcase::peer who{.uid = 1000, .gid = 100, .pid = 1};

bool admits(const upcase::access_rules& rules,
            const std::optional<std::vector<gid_t>>& groups = std::vector<gid_t>{}) {
  return rules.admits(who, [&] { return groups; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(admission)

BOOST_AUTO_TEST_CASE(without_rules_everybody) { BOOST_TEST(admits({})); }

BOOST_AUTO_TEST_CASE(with_an_allow_rule_only_who_matches) {
  BOOST_TEST(
      admits({.allow_users = {1000}, .allow_groups = {}, .deny_users = {}, .deny_groups = {}}));
  BOOST_TEST(
      !admits({.allow_users = {1}, .allow_groups = {}, .deny_users = {}, .deny_groups = {}}));
  const upcase::access_rules group{
      .allow_users = {}, .allow_groups = {100}, .deny_users = {}, .deny_groups = {}};
  BOOST_TEST(admits(group));
  const upcase::access_rules other{
      .allow_users = {}, .allow_groups = {7}, .deny_users = {}, .deny_groups = {}};
  BOOST_TEST(!admits(other));
  BOOST_TEST(admits(other, std::vector<gid_t>{5, 7}));
  BOOST_TEST(!admits(other, std::nullopt));
}

BOOST_AUTO_TEST_CASE(deny_beats_allow) {
  BOOST_TEST(!admits(
      {.allow_users = {1000}, .allow_groups = {}, .deny_users = {1000}, .deny_groups = {}}));
  BOOST_TEST(
      !admits({.allow_users = {1000}, .allow_groups = {}, .deny_users = {}, .deny_groups = {100}}));
  const upcase::access_rules supplementary{
      .allow_users = {1000}, .allow_groups = {}, .deny_users = {}, .deny_groups = {7}};
  BOOST_TEST(admits(supplementary));
  BOOST_TEST(!admits(supplementary, std::vector<gid_t>{7}));
  BOOST_TEST(!admits(supplementary, std::nullopt));  // unknown never lets in
}

BOOST_AUTO_TEST_CASE(a_quota_counts_each_user_and_gives_back) {
  upcase::quota quota(2);
  auto first = quota.acquire(1);
  auto second = quota.acquire(1);
  BOOST_TEST(first.has_value());
  BOOST_TEST(second.has_value());
  BOOST_TEST(!quota.acquire(1).has_value());
  BOOST_TEST(quota.acquire(2).has_value());
  first.reset();
  BOOST_TEST(quota.held_by(1) == 1U);
  auto moved = std::move(*second);
  second.reset();
  BOOST_TEST(quota.held_by(1) == 1U);
  quota.set_limit(0);
  auto third = quota.acquire(1);
  quota.set_limit(1);
  BOOST_TEST(third->give_back_excess());
  BOOST_TEST(quota.held_by(1) == 1U);
  BOOST_TEST(!moved.give_back_excess());  // it is the one that is allowed
  third.reset();
  BOOST_TEST(quota.held_by(1) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
