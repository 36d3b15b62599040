// wakeup: a bell and an alarm in a set of their own, without a loop. How their
// descriptors are read is not looked at, only whether they came.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>
#include <unistd.h>
#include <upcase/readiness.hpp>
#include <upcase/wakeup.hpp>

#include "support/process.hpp"

namespace {

using namespace std::chrono_literals;
using steady_clock = std::chrono::steady_clock;
using patience = upcase::readiness::patience;

void serve(upcase::readiness& set, patience how) {
  for (const epoll_event& event : set.wait(how)) {
    upcase::readiness::tell(event);
  }
}

// Whether it came by now.
bool comes(upcase::readiness& set, upcase::wakeup& one) {
  serve(set, patience::none);
  return one.came();
}

bool comes_eventually(upcase::readiness& set, upcase::wakeup& one) {
  return test::eventually([&] { return comes(set, one); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wakeup)

BOOST_AUTO_TEST_CASE(rings_before_anybody_looks_are_one) {
  upcase::readiness set;
  upcase::bell bell(set);
  BOOST_TEST(!comes(set, bell));
  bell.ring();
  bell.ring();
  bell.ring();
  BOOST_TEST(comes(set, bell));
  BOOST_TEST(!bell.came());
  BOOST_TEST(!comes(set, bell));
}

BOOST_AUTO_TEST_CASE(a_bell_comes_again_whenever_it_is_rung_again) {
  upcase::readiness set;
  upcase::bell bell(set);
  for (int i = 0; i < 3; ++i) {
    bell.ring();
    BOOST_TEST(comes(set, bell));
  }
}

BOOST_AUTO_TEST_CASE(a_ring_from_another_thread_ends_a_sleep) {
  upcase::readiness set;
  upcase::bell bell(set);
  upcase::alarm limit(set);
  limit.set(steady_clock::now() + test::patience);
  const std::jthread ringer([&, sleeper = ::gettid()] {
    test::eventually([=] { return test::asleep(sleeper); });
    bell.ring();
  });
  serve(set, patience::endless);
  BOOST_TEST(bell.came());
}

BOOST_AUTO_TEST_CASE(an_alarm_comes_once_each_time_it_is_set_and_not_before) {
  upcase::readiness set;
  upcase::alarm alarm(set);
  for (int i = 0; i < 3; ++i) {
    const auto when = steady_clock::now() + 10ms;
    alarm.set(when);
    BOOST_TEST(comes_eventually(set, alarm));
    BOOST_TEST((steady_clock::now() >= when));
    BOOST_TEST(!comes(set, alarm));
  }
}

BOOST_AUTO_TEST_CASE(an_alarm_for_a_past_time_comes) {
  upcase::readiness set;
  upcase::alarm alarm(set);
  // Zero disarms a timer of the kernel's, and a negative time is none.
  for (const auto when :
       {steady_clock::now(), steady_clock::time_point{}, steady_clock::time_point::min()}) {
    alarm.set(when);
    BOOST_TEST(comes_eventually(set, alarm));
  }
}

BOOST_AUTO_TEST_CASE(the_last_time_that_an_alarm_is_set_to_counts) {
  upcase::readiness set;
  upcase::alarm alarm(set);
  const auto later = steady_clock::now() + 200ms;
  alarm.set(later - 190ms);
  alarm.set(later);
  BOOST_TEST(comes_eventually(set, alarm));
  BOOST_TEST((steady_clock::now() >= later));

  alarm.set(steady_clock::now() + 1h);
  alarm.set(steady_clock::now() + 10ms);
  BOOST_TEST(comes_eventually(set, alarm));
}

BOOST_AUTO_TEST_SUITE_END()
