// blocking_pool: what blocks holds up nobody but itself, and neither threads nor
// jobs grow without bound.

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <latch>
#include <memory>
#include <thread>
#include <upcase/blocking_pool.hpp>

#include "support/process.hpp"

namespace {

// Blocks those who wait until it is opened; shared, for it outlives a test.
using gate = std::shared_ptr<std::latch>;

gate closed_gate() { return std::make_shared<std::latch>(1); }

bool post_wait(upcase::blocking_pool& pool, const gate& at) {
  auto wait = [at] { at->wait(); };
  return pool.post(wait);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(blocking_pool)

BOOST_AUTO_TEST_CASE(a_blocked_job_does_not_hold_up_the_next) {
  const gate blocked = closed_gate();
  upcase::blocking_pool pool({.threads = 2, .waiting = 4});
  BOOST_REQUIRE(post_wait(pool, blocked));
  std::atomic<bool> done = false;
  auto next = [&done, owned = std::make_unique<int>(1)] { done = *owned == 1; };
  BOOST_REQUIRE(pool.post(next));
  BOOST_TEST(test::eventually([&] { return done.load(); }));
  BOOST_TEST(test::eventually([&] { return pool.pending() == 1; }));
  blocked->count_down();
  BOOST_TEST(test::eventually([&] { return pool.pending() == 0; }));
}

BOOST_AUTO_TEST_CASE(no_more_threads_run_and_no_more_jobs_wait_than_allowed) {
  const gate blocked = closed_gate();
  upcase::blocking_pool pool({.threads = 2, .waiting = 3});
  BOOST_REQUIRE(post_wait(pool, blocked));
  BOOST_REQUIRE(post_wait(pool, blocked));
  std::atomic<int> ran = 0;
  auto count = [&ran] { ++ran; };
  // The first two are still waiting for a moment, and so may be refused.
  std::size_t taken = 0;
  test::eventually([&] { return (taken += pool.post(count) ? 1 : 0) == 3; });
  auto one_more = [&ran, owned = std::make_unique<int>(1)] { ++ran; };
  BOOST_TEST(!pool.post(one_more));
  BOOST_TEST(pool.pending() == 5U);
  BOOST_TEST(ran == 0);
  blocked->count_down();
  BOOST_TEST(test::eventually([&] { return pool.pending() == 0; }));
  BOOST_TEST(ran == 3);
  // What was refused is unchanged.
  BOOST_TEST(pool.post(one_more));
  BOOST_TEST(test::eventually([&] { return ran == 4; }));
}

BOOST_AUTO_TEST_CASE(signals_are_for_other_threads) {
  upcase::blocking_pool pool({.threads = 1, .waiting = 1});
  std::atomic<int> blocked = -1;
  auto look = [&blocked] {
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    int count = 0;
    for (const int each : {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGURG}) {
      count += ::sigismember(&mask, each);
    }
    blocked = count;
  };
  BOOST_REQUIRE(pool.post(look));
  BOOST_TEST(test::eventually([&] { return blocked >= 0; }));
  BOOST_TEST(blocked == 5);
}

BOOST_AUTO_TEST_CASE(its_end_finishes_what_waits) {
  std::atomic<int> ran = 0;
  {
    upcase::blocking_pool pool({.threads = 1, .waiting = 100});
    auto count = [&ran] {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ++ran;
    };
    for (int i = 0; i < 100; ++i) {
      BOOST_REQUIRE(pool.post(count));
    }
  }
  BOOST_TEST(ran == 100);
}

BOOST_AUTO_TEST_CASE(its_end_does_not_wait_for_a_blocked_job) {
  const gate blocked = closed_gate();
  const auto done = std::make_shared<std::atomic<bool>>(false);
  const auto began = std::chrono::steady_clock::now();
  {
    upcase::blocking_pool pool({.threads = 1, .waiting = 1});
    auto job = [blocked, done] {
      blocked->wait();
      *done = true;
    };
    BOOST_REQUIRE(pool.post(job));
  }
  BOOST_TEST((std::chrono::steady_clock::now() - began < std::chrono::seconds(20)));
  BOOST_TEST(!*done);
  blocked->count_down();
  BOOST_TEST(test::eventually([&] { return done->load(); }));
}

BOOST_AUTO_TEST_SUITE_END()
