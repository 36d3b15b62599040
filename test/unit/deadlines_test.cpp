// deadlines: with a clock of the test's own, so that every order of moving,
// clearing and expiring can be had.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <upcase/deadlines.hpp>

namespace {

using std::chrono::seconds;

constexpr upcase::steady_time begin{};

struct counted final : upcase::deadline {
  int times = 0;

 private:
  void expired(upcase::steady_time /*now*/) override { ++times; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(deadlines)

BOOST_AUTO_TEST_CASE(the_first_one_asks_for_the_timer) {
  upcase::deadline_queue queue;
  counted a;
  counted b;
  BOOST_TEST(queue.set(a, begin + seconds(5)));
  BOOST_TEST(!queue.set(b, begin + seconds(7)));
  BOOST_TEST((queue.next() == begin + seconds(5)));
  BOOST_TEST(queue.set(b, begin + seconds(3)));
  queue.expire(begin + seconds(3));
  BOOST_TEST(a.times == 0);
  BOOST_TEST(b.times == 1);
}

BOOST_AUTO_TEST_CASE(a_moved_one_expires_at_its_new_time_only) {
  upcase::deadline_queue queue;
  counted a;
  queue.set(a, begin + seconds(5));
  BOOST_TEST(!queue.set(a, begin + seconds(9)));
  queue.expire(begin + seconds(5));
  BOOST_TEST(a.times == 0);
  BOOST_TEST((queue.next() == begin + seconds(9)));
  queue.expire(begin + seconds(9));
  BOOST_TEST(a.times == 1);
  BOOST_TEST(!queue.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_cleared_one_never_expires) {
  upcase::deadline_queue queue;
  counted a;
  queue.set(a, begin + seconds(5));
  upcase::deadline_queue::clear(a);
  queue.expire(begin + seconds(6));
  BOOST_TEST(a.times == 0);
  BOOST_TEST(!queue.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_destroyed_one_is_forgotten) {
  upcase::deadline_queue queue;
  auto a = std::make_unique<counted>();
  queue.set(*a, begin + seconds(5));
  a.reset();
  BOOST_TEST(!queue.next().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
