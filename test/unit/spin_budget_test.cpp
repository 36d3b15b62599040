// spin_budget: what is left of the budget after spins that paid and spins that
// did not, by a clock that only the test moves.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <upcase/spin_budget.hpp>

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using budget_type = upcase::spin_budget;

// Spins one after the other on a budget, each taking its time.
class spinner {
 public:
  /// Spins in vain until the budget is empty; returns the time that this took.
  nanoseconds exhaust() {
    nanoseconds spent = 0ns;
    while (budget.allows(now)) {
      fail(budget_type::longest_spin);
      spent += budget_type::longest_spin;
    }
    return spent;
  }

  void fail(nanoseconds spent) {
    now += spent;
    budget.failed(spent);
  }

  void succeed(nanoseconds spent) {
    now += spent;
    budget.succeeded(spent);
  }

  upcase::steady_time now{};
  budget_type budget{now};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(spin_budget)

BOOST_AUTO_TEST_CASE(a_new_loop_spins) {
  spinner loop;
  BOOST_TEST(loop.budget.allows(loop.now));
}

BOOST_AUTO_TEST_CASE(spins_in_vain_use_up_the_budget) {
  spinner loop;
  const nanoseconds spent = loop.exhaust();
  BOOST_TEST((spent >= budget_type::limit));
  // What the time of the spins themselves has added, and one spin begun with little.
  BOOST_TEST((spent <= budget_type::limit * 102 / 100 + budget_type::longest_spin));
}

BOOST_AUTO_TEST_CASE(an_empty_budget_grows_by_its_share_of_the_time) {
  spinner loop;
  constexpr nanoseconds second = 1s;
  loop.exhaust();
  nanoseconds spent = 0ns;
  for (const auto end = loop.now + second; loop.now < end; loop.now += 100us) {
    if (loop.budget.allows(loop.now)) {
      loop.fail(budget_type::longest_spin);
      spent += budget_type::longest_spin;
    }
  }
  BOOST_TEST((spent <= second / budget_type::share + budget_type::longest_spin));
  BOOST_TEST((spent >= second / budget_type::share - 2 * budget_type::longest_spin));
}

BOOST_AUTO_TEST_CASE(a_long_rest_saves_no_more_than_the_limit) {
  spinner loop;
  loop.exhaust();
  loop.now += 1h;
  const nanoseconds spent = loop.exhaust();
  BOOST_TEST((spent <= budget_type::limit * 102 / 100 + budget_type::longest_spin));
}

BOOST_AUTO_TEST_CASE(spins_shorter_than_a_sleep_pay_for_themselves) {
  spinner loop;
  for (int i = 0; i < 100'000; ++i) {
    BOOST_REQUIRE(loop.budget.allows(loop.now));
    loop.succeed(budget_type::sleep_cost);
  }
}

BOOST_AUTO_TEST_CASE(spins_longer_than_a_sleep_do_not) {
  spinner loop;
  const nanoseconds spent = budget_type::sleep_cost * 3 / 2;
  int spins = 0;
  while (spins < 100'000 && loop.budget.allows(loop.now)) {
    loop.succeed(spent);
    ++spins;
  }
  BOOST_TEST(spins < 100'000);
}

BOOST_AUTO_TEST_CASE(spins_that_pay_make_up_for_some_in_vain) {
  spinner loop;
  for (int i = 0; i < 10'000; ++i) {
    BOOST_REQUIRE(loop.budget.allows(loop.now));
    loop.fail(budget_type::longest_spin);
    for (int paid = 0; paid < 6; ++paid) {
      loop.succeed(budget_type::sleep_cost / 4);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_earned_does_not_exceed_the_limit) {
  spinner loop;
  for (int i = 0; i < 100'000; ++i) {
    loop.succeed(0ns);
  }
  const nanoseconds spent = loop.exhaust();
  BOOST_TEST((spent <= budget_type::limit * 102 / 100 + budget_type::longest_spin));
}

BOOST_AUTO_TEST_CASE(a_preempted_spin_loses_only_its_own_time) {
  spinner loop;
  loop.fail(1s);
  BOOST_TEST(loop.budget.allows(loop.now));
}

BOOST_AUTO_TEST_SUITE_END()
