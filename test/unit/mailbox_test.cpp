// mailbox: what is posted is done, once, in order and on the loop's thread,
// whoever posts it and whenever.

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <upcase/mailbox.hpp>
#include <upcase/readiness.hpp>
#include <upcase/wakeup.hpp>
#include <vector>

#include "support/process.hpp"

namespace {

using patience = upcase::readiness::patience;

// A loop, as far as a mailbox needs one.
struct bench {
  upcase::readiness set;
  upcase::mailbox box{set};

  void turn(patience how) {
    for (const epoll_event& event : set.wait(how)) {
      upcase::readiness::tell(event);
    }
    box.empty();
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(mailbox)

BOOST_AUTO_TEST_CASE(jobs_are_done_once_in_the_order_in_which_they_were_posted) {
  bench on;
  std::string done;
  for (const char name : {'a', 'b', 'c'}) {
    on.box.post([&done, name] { done += name; });
  }
  BOOST_TEST(done == "");
  on.turn(patience::none);
  BOOST_TEST(done == "abc");
  on.box.post([&done] { done += 'd'; });
  on.turn(patience::none);
  BOOST_TEST(done == "abcd");
}

BOOST_AUTO_TEST_CASE(what_another_thread_posts_is_done_on_the_loops) {
  bench on;
  std::thread::id where;
  std::jthread([&] {
    auto movable_only = std::make_unique<std::thread::id*>(&where);
    on.box.post([to = std::move(movable_only)] { **to = std::this_thread::get_id(); });
  }).join();
  on.turn(patience::none);
  BOOST_TEST((where == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(what_a_job_posts_is_done_in_a_later_turn) {
  bench on;
  std::string done;
  on.box.post([&] {
    done += 'a';
    on.box.post([&] { done += 'c'; });
  });
  on.box.post([&] { done += 'b'; });
  on.turn(patience::none);
  BOOST_TEST(done == "ab");
  on.turn(patience::none);
  BOOST_TEST(done == "abc");
}

BOOST_AUTO_TEST_CASE(no_job_is_lost_or_overtaken_when_many_threads_post) {
  constexpr int jobs = 5'000;
  bench on;
  upcase::alarm limit(on.set);
  limit.set(std::chrono::steady_clock::now() + test::patience);
  std::array<int, 4> done{};
  bool in_order = true;
  std::latch start(done.size());
  std::vector<std::jthread> posters;
  for (int& mine : done) {
    posters.emplace_back([&on, &in_order, &start, &mine] {
      start.arrive_and_wait();
      for (int i = 0; i < jobs; ++i) {
        on.box.post([&in_order, &mine, i] { in_order = in_order && mine++ == i; });
        std::this_thread::yield();  // or, on one processor, they come one after the other
      }
    });
  }
  const auto all_done = [&] {
    return std::ranges::all_of(done, [](int count) { return count == jobs; });
  };
  while (!all_done() && !limit.came()) {
    on.turn(patience::endless);
  }
  BOOST_TEST(in_order);
  BOOST_TEST(all_done());
}

BOOST_AUTO_TEST_CASE(a_standing_job_is_done_once_each_time_it_was_posted) {
  std::string done;
  upcase::mailbox* box = nullptr;
  upcase::mailbox::standing_job again([&] {
    done += 'a';
    if (done.size() < 4) {
      box->post(again);
    }
  });
  bench on;
  box = &on.box;
  on.box.post(again);
  on.box.post([&done] { done += 'b'; });
  on.box.post(again);
  on.turn(patience::none);
  BOOST_TEST(done == "ab");
  on.turn(patience::none);
  on.turn(patience::none);
  on.turn(patience::none);
  BOOST_TEST(done == "abaa");
  on.box.post(again);  // and never done
}

BOOST_AUTO_TEST_CASE(a_standing_job_is_done_after_its_last_post_whoever_posts_it) {
  constexpr int posts = 5'000;
  std::array<std::atomic<int>, 4> given{};
  std::array<int, 4> seen{};
  upcase::mailbox::standing_job look([&] {
    for (std::size_t i = 0; i < given.size(); ++i) {
      seen[i] = given[i].load(std::memory_order_relaxed);
    }
  });
  bench on;
  upcase::alarm limit(on.set);
  limit.set(std::chrono::steady_clock::now() + test::patience);
  std::vector<std::jthread> posters;
  for (auto& mine : given) {
    posters.emplace_back([&] {
      for (int i = 1; i <= posts; ++i) {
        mine.store(i, std::memory_order_relaxed);
        on.box.post(look);
        std::this_thread::yield();
      }
    });
  }
  const auto all_seen = [&] {
    return std::ranges::all_of(seen, [](int value) { return value == posts; });
  };
  while (!all_seen() && !limit.came()) {
    on.turn(patience::endless);
  }
  BOOST_TEST(all_seen());
}

BOOST_AUTO_TEST_CASE(what_a_job_holds_is_freed_done_or_not) {
  const auto held = std::make_shared<int>();
  {
    bench on;
    on.box.post([held] {});
    on.turn(patience::none);
    BOOST_TEST(held.use_count() == 1);
    on.box.post([held] {});
    BOOST_TEST(held.use_count() == 2);
  }
  BOOST_TEST(held.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
