// client_log: each user's lines and counts, with a clock that the test moves.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
#include <upcase/client_log.hpp>
#include <upcase/credentials.hpp>

#include "support/process.hpp"
#include "support/running_server.hpp"

namespace {

using namespace std::chrono_literals;

std::atomic<time_t> moved = 0;  // by so many seconds the clocks are ahead

}  // namespace

// In place of the C library's.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = ::syscall(SYS_clock_gettime, clock, time);
  time->tv_sec += moved;
  return static_cast<int>(result);
}

namespace {

struct fixture {
  fixture() = default;
  fixture(const fixture&) = delete;
  fixture& operator=(const fixture&) = delete;
  ~fixture() { moved = 0; }

  /// Moves the clock, and does what is due by then.
  void move(std::chrono::seconds time) {
    moved += time.count();
    // Asio's sleep is as long as it was, until a timer is set that is due earlier.
    boost::asio::steady_timer first(context, std::chrono::steady_clock::time_point{});
    first.async_wait([](const boost::system::error_code& /*none*/) {});
    context.run_for(20ms);
  }

  void refuse(uid_t uid, std::size_t count) {
    upcase::finding found;
    found.who = {.uid = uid, .gid = uid, .pid = 1};
    found.why = upcase::verdict::denied;
    for (std::size_t i = 0; i < count; ++i) {
      clients.refused(found);
    }
  }

  // How many of them were told.
  std::size_t allow(uid_t uid, std::size_t count) {
    upcase::finding found;
    found.who = {.uid = uid, .gid = uid, .pid = 1};
    std::size_t told = 0;
    for (std::size_t i = 0; i < count; ++i) {
      told += clients.allowed(i, found) ? 1 : 0;
    }
    return told;
  }

  [[nodiscard]] std::size_t count(std::string_view text) const {
    return test::occurrences(journal.lines(), text);
  }

  boost::asio::io_context context{1};
  test::memory_log journal;
  upcase::client_log clients{context, journal};
};

constexpr std::chrono::seconds period = upcase::line_limit::period;
constexpr std::chrono::seconds later = period / 2;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_log, fixture)

BOOST_AUTO_TEST_CASE(each_users_count_is_told_when_its_period_is_over) {
  refuse(1, 7);
  move(later);
  refuse(2, 8);
  BOOST_TEST(count("not-logged") == 0U);
  move(period - later);
  BOOST_TEST(count("deny uid=1 refusals-not-logged=2\n") == 1U);
  BOOST_TEST(count("not-logged") == 1U);
  move(later);
  BOOST_TEST(count("deny uid=2 refusals-not-logged=3\n") == 1U);
  BOOST_TEST(count("not-logged") == 2U);
}

BOOST_AUTO_TEST_CASE(clients_and_refusals_are_counted_each_for_itself) {
  constexpr std::size_t too_many = 3;
  BOOST_TEST(allow(1, upcase::client_log::allowed_lines + too_many) ==
             upcase::client_log::allowed_lines);
  refuse(1, upcase::client_log::refused_lines + too_many);
  move(period);
  BOOST_TEST(count("allow uid=1 clients-not-logged=3\n") == 1U);
  BOOST_TEST(count("deny uid=1 refusals-not-logged=3\n") == 1U);
  // A new period.
  BOOST_TEST(allow(1, 1) == 1U);
}

BOOST_AUTO_TEST_CASE(an_end_tells_what_is_counted_so_far) {
  refuse(1, 6);
  clients.finish();
  BOOST_TEST(count("deny uid=1 refusals-not-logged=1\n") == 1U);
  move(period);
  BOOST_TEST(count("not-logged") == 1U);
}

BOOST_AUTO_TEST_CASE(debug_tells_every_client) {
  constexpr std::size_t many = upcase::client_log::allowed_lines + 50;
  journal.set_threshold(upcase::log_level::debug);
  BOOST_TEST(allow(1, many) == many);
  BOOST_TEST(count("allow client=") == many);
}

BOOST_AUTO_TEST_SUITE_END()
