// event_loop: what ends its run, when its deadlines come, and in which order a
// turn does what there is to do.

#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>
#include <upcase/client_descriptor.hpp>
#include <upcase/deadlines.hpp>
#include <upcase/descriptor_closer.hpp>
#include <upcase/event_loop.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/readiness.hpp>
#include <upcase/system_calls.hpp>
#include <utility>

#include "support/process.hpp"

namespace {

using namespace std::chrono_literals;
using patience = upcase::readiness::patience;

// Has a deadline, and calls when it comes.
class owner final : public upcase::deadline {
 public:
  explicit owner(std::function<void()> call) : call_(std::move(call)) {}

 private:
  void expired(upcase::steady_time /*now*/) override { call_(); }

  std::function<void()> call_;
};

// Is ready once after each ring, and calls then.
class client final : public upcase::ready_target {
 public:
  client(upcase::readiness& set, std::function<void()> call) : set_(set), call_(std::move(call)) {
    set_.add(fd_.get(), EPOLLIN | EPOLLET, *this);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() { set_.remove(fd_.get()); }

  void ring() const { upcase::ring(fd_.get()); }

 private:
  void ready(std::uint32_t /*events*/) override { call_(); }

  upcase::readiness& set_;
  std::function<void()> call_;
  upcase::file_descriptor fd_ = upcase::make_eventfd();
};

// A loop whose run is ended if nobody else ends it.
class bench {
 public:
  bench() { loop.set_deadline(limit_, test::patience); }
  bench(const bench&) = delete;
  bench& operator=(const bench&) = delete;

  /// Whether somebody else ended it.
  bool run(std::optional<upcase::duration> busy_poll = 0ns) {
    loop.run(busy_poll);
    return !overdue_;
  }

  upcase::event_loop loop{upcase::stream_timeouts{}};

 private:
  bool overdue_ = false;
  owner limit_{[this] {
    overdue_ = true;
    loop.stop();
  }};
};

std::chrono::nanoseconds own_processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Asleep at once, after a spin, and where spinning does not pay.
const std::array<std::optional<upcase::duration>, 3> busy_polls{0ns, upcase::duration(1ms),
                                                                std::nullopt};

}  // namespace

BOOST_AUTO_TEST_SUITE(event_loop)

BOOST_AUTO_TEST_CASE(a_stop_before_it_runs_ends_it_at_once) {
  for (const auto& busy_poll : busy_polls) {
    bench on;
    on.loop.stop();
    BOOST_TEST(on.run(busy_poll));
  }
}

BOOST_AUTO_TEST_CASE(a_stop_from_another_thread_ends_its_sleep) {
  for (const auto& busy_poll : busy_polls) {
    bench on;
    std::atomic<bool> running = false;
    on.loop.post([&] { running = true; });
    bool slept = false;
    std::jthread stopper([&, sleeper = ::gettid()] {
      slept = test::eventually([&] { return running && test::asleep(sleeper); });
      on.loop.stop();
    });
    BOOST_TEST(on.run(busy_poll));
    stopper.join();
    BOOST_TEST(slept);
  }
}

// Were it spinning on, it would use a processor for as long as nobody comes.
BOOST_AUTO_TEST_CASE(it_sleeps_where_nobody_comes) {
  bench on;
  owner due([&] { on.loop.stop(); });
  on.loop.set_deadline(due, 500ms);
  const auto before = own_processor_time();
  BOOST_TEST(on.run(std::nullopt));
  BOOST_TEST((own_processor_time() - before < 100ms));
}

BOOST_AUTO_TEST_CASE(a_stop_ends_its_spin) {
  bench on;
  on.loop.post([&] { on.loop.stop(); });
  BOOST_TEST(on.run(1h));
}

BOOST_AUTO_TEST_CASE(a_stop_from_another_thread_ends_its_spin) {
  bool ended = true;
  for (int i = 0; ended && i < 1'000; ++i) {
    bench on;
    std::atomic<bool> running = false;
    on.loop.post([&] { running = true; });
    const std::jthread stopper([&] {
      while (!running) {
        std::this_thread::yield();
      }
      on.loop.stop();
    });
    ended = on.run(1h);
  }
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(each_deadline_comes_at_its_time) {
  bench on;
  std::string order;
  const auto begin = on.loop.now();
  owner late([&] {
    BOOST_TEST((on.loop.now() >= begin + 60ms));
    order += "late";
    on.loop.stop();
  });
  owner early([&] {
    BOOST_TEST((on.loop.now() >= begin + 10ms));
    order += "early ";
  });
  on.loop.set_deadline(late, 60ms);
  on.loop.set_deadline(early, 10ms);
  BOOST_TEST(on.run());
  BOOST_TEST(order == "early late");
}

BOOST_AUTO_TEST_CASE(an_earlier_deadline_is_not_kept_waiting_by_a_later_one) {
  bench on;
  owner early([&] { on.loop.stop(); });
  // The bench's own is there already, and far away.
  on.loop.set_deadline(early, 10ms);
  BOOST_TEST(on.run());
}

BOOST_AUTO_TEST_CASE(a_deadline_set_to_zero_never_comes) {
  bench on;
  int times = 0;
  owner cleared([&] { ++times; });
  owner later([&] { on.loop.stop(); });
  on.loop.set_deadline(cleared, 10ms);
  on.loop.set_deadline(cleared, 0ns);
  on.loop.set_deadline(later, 20ms);
  BOOST_TEST(on.run());
  BOOST_TEST(times == 0);
}

BOOST_AUTO_TEST_CASE(a_deadline_counts_from_the_end_of_the_sleep) {
  bench on;
  std::chrono::steady_clock::time_point set;
  owner due([&] {
    BOOST_TEST((std::chrono::steady_clock::now() - set >= 200ms));
    on.loop.stop();
  });
  const client ready(on.loop.ready_set(), [&] {
    set = std::chrono::steady_clock::now();
    on.loop.set_deadline(due, 200ms);
  });
  const std::jthread ringer([&, sleeper = ::gettid()] {
    test::eventually([&] { return test::asleep(sleeper); });
    std::this_thread::sleep_for(300ms);
    ready.ring();
  });
  BOOST_TEST(on.run());
  BOOST_TEST((set != std::chrono::steady_clock::time_point()));
}

BOOST_AUTO_TEST_CASE(what_is_due_or_was_posted_is_done_after_the_batch) {
  bench on;
  std::string order;
  client ready(on.loop.ready_set(), [&] { order += "client "; });
  owner due([&] { order += "due "; });
  // In the set, all of it stands before the client.
  on.loop.set_deadline(due, 1ns);
  on.loop.post([&] { order += "job "; });
  ready.ring();
  on.loop.turn(patience::endless);
  BOOST_TEST(order.starts_with("client "), order);
  BOOST_TEST(order.ends_with("job "), order);
}

BOOST_AUTO_TEST_CASE(a_turn_says_whether_there_was_anything) {
  bench on;
  const client ready(on.loop.ready_set(), [] {});
  BOOST_TEST(!on.loop.turn(patience::none));
  ready.ring();
  BOOST_TEST(on.loop.turn(patience::none));
  BOOST_TEST(!on.loop.turn(patience::none));
  on.loop.post([] {});
  BOOST_TEST(on.loop.turn(patience::none));
  BOOST_TEST(!on.loop.turn(patience::none));
}

BOOST_AUTO_TEST_CASE(descriptors_that_wait_to_be_closed_are_no_room_for_others) {
  constexpr std::size_t needed = upcase::most_descriptors + upcase::most_unserved_connections;
  std::atomic<std::ptrdiff_t> spare = needed;
  const upcase::event_loop loop(upcase::stream_timeouts{}, &spare);
  auto& closer = upcase::descriptor_closer::of_process();
  BOOST_TEST(loop.has_room_for_descriptors());
  closer.hold();
  closer.close(upcase::make_eventfd().release());
  BOOST_TEST(!loop.has_room_for_descriptors());
  ++spare;
  BOOST_TEST(loop.has_room_for_descriptors());
  closer.go_on();
  BOOST_TEST(closer.finish(test::patience));
  spare = needed - 1;
  BOOST_TEST(!loop.has_room_for_descriptors());
  // Nobody knows how many there are.
  BOOST_TEST(!upcase::event_loop(upcase::stream_timeouts{}).has_room_for_descriptors());
}

BOOST_AUTO_TEST_SUITE_END()
