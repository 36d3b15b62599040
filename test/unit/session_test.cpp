// session and stream: one client on a socket pair, its handler, and every way
// in which it can end. No daemon, no credentials.

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <upcase/event_loop.hpp>
#include <upcase/session.hpp>

#include "support/client.hpp"
#include "support/lingering_socket.hpp"

namespace {

using namespace std::chrono_literals;
using upcase::end_reason;

// One session, its loop and its client's end of the connection.
class bench final : public upcase::session_owner {
 public:
  explicit bench(upcase::stream_timeouts timeouts = {}) : loop_(timeouts) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    client.reset(ends[0]);
    server_.reset(ends[1]);
  }
  bench(const bench&) = delete;
  bench& operator=(const bench&) = delete;

  void start(const upcase::handler& serve = upcase::uppercase_session) {
    upcase::admitted_client admitted;
    admitted.socket = std::move(server_);
    session_ = std::make_unique<upcase::session>(loop_, *this, std::move(admitted));
    session_->start(serve);
  }

  /// Lets the loop run, for so long or until the session is over.
  void run(std::chrono::nanoseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (session_ && std::chrono::steady_clock::now() < end) {
      turn();
    }
  }
  /// How often the loop finds something to do in that time, session or not.
  std::size_t count_turns(std::chrono::nanoseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    std::size_t turns = 0;
    while (std::chrono::steady_clock::now() < end) {
      turns += turn() ? 1 : 0;
    }
    return turns;
  }

  std::optional<end_reason> run_to_end() {
    run(test::patience);
    return reason;
  }

  [[nodiscard]] upcase::session& session() { return *session_; }

  upcase::file_descriptor client;
  std::optional<end_reason> reason;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

 private:
  void session_over(upcase::session& over) noexcept override {
    reason = over.reason();
    bytes_in = over.connection().bytes_in();
    bytes_out = over.connection().bytes_out();
    session_.reset();
  }

  bool turn() {
    const bool worked = loop_.turn(upcase::readiness::patience::none);
    if (!worked) {
      std::this_thread::sleep_for(1ms);
    }
    return worked;
  }

  upcase::event_loop loop_;
  upcase::file_descriptor server_;
  std::unique_ptr<upcase::session> session_;
};

// As much as the kernel and the session take while nobody reads.
std::string fill(bench& on, int patient_for = 5) {
  const std::string block = test::random_bytes(std::size_t{4} << 20U);
  std::size_t sent = 0;
  for (int quiet = 0; quiet < patient_for;) {
    const ssize_t part = ::send(on.client.get(), block.data() + sent, block.size() - sent,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    quiet = part > 0 ? 0 : quiet + 1;
    sent += part > 0 ? static_cast<std::size_t>(part) : 0;
    on.run(10ms);
  }
  return block.substr(0, sent);
}

// Everything up to the end of file, with the loop running.
std::string drain(bench& on) {
  std::string all;
  std::array<char, 65536> part{};
  for (;;) {
    const ssize_t got = ::recv(on.client.get(), part.data(), part.size(), MSG_DONTWAIT);
    if (got > 0) {
      all.append(part.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
      return all;
    } else {
      on.run(5ms);
    }
  }
}

upcase::task throws_at_once(upcase::stream& /*client*/, const upcase::peer& /*who*/) {
  throw std::runtime_error("a handler's mistake");
  co_return;
}

// No coroutine: one that wraps another, and fails before it has called it.
upcase::task throws_before_it_is_one(upcase::stream& /*client*/, const upcase::peer& /*who*/) {
  throw std::runtime_error("a handler's mistake");
}

upcase::task throws_after_a_read(upcase::stream& client, const upcase::peer& /*who*/) {
  static_cast<void>(co_await client.read());
  throw std::runtime_error("a handler's mistake");
}

upcase::task one_answer(upcase::stream& client, const upcase::peer& /*who*/) {
  const auto bytes = co_await client.read();
  co_await client.write(bytes);
}

upcase::task never_finishes_by_itself(upcase::stream& client, const upcase::peer& /*who*/) {
  while (client.ended() == end_reason::open) {
    static_cast<void>(co_await client.read());
  }
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(upcase::end_reason)

BOOST_AUTO_TEST_SUITE(session)

BOOST_AUTO_TEST_CASE(half_close_gets_every_byte_and_then_the_end) {
  bench on;
  on.start();
  const std::string sent = fill(on);
  BOOST_REQUIRE(::shutdown(on.client.get(), SHUT_WR) == 0);
  BOOST_TEST((drain(on) == test::reference_uppercase(sent)));
  BOOST_TEST((on.run_to_end() == end_reason::closed));
  BOOST_TEST(on.bytes_in == sent.size());
  BOOST_TEST(on.bytes_out == sent.size());
}

BOOST_AUTO_TEST_CASE(nothing_is_read_while_output_is_pending) {
  bench on;
  on.start();
  fill(on);
  const auto& connection = on.session().connection();
  BOOST_TEST(connection.bytes_in() > connection.bytes_out());
  // Kept is what one write could not place.
  BOOST_TEST(connection.bytes_in() - connection.bytes_out() <= upcase::event_loop::buffer_size);
  const auto before = connection.bytes_in();
  on.run(50ms);
  BOOST_TEST(connection.bytes_in() == before);
}

BOOST_AUTO_TEST_CASE(idle_timeout) {
  bench on({.idle = 50ms, .write = 0ms});
  on.start();
  BOOST_TEST((on.run_to_end() == end_reason::idle_timeout));
}

BOOST_AUTO_TEST_CASE(without_a_write_timeout_a_stuck_client_is_an_idle_one) {
  bench on({.idle = 100ms, .write = 0ms});
  on.start();
  fill(on);
  BOOST_TEST((on.run_to_end() == end_reason::idle_timeout));
}

BOOST_AUTO_TEST_CASE(write_timeout_counts_from_the_last_byte_taken) {
  bench on({.idle = 0ms, .write = 600ms});
  on.start();
  fill(on);
  for (int i = 0; i < 8; ++i) {  // 800 ms in all, never 600 without progress
    on.run(100ms);
    BOOST_REQUIRE(!on.reason.has_value());
    // More than three quarters of the pipe, or the kernel calls it still full.
    BOOST_TEST(test::receive(on.client.get(), 200'000, 0ms).size() > 0U);
    fill(on, 1);
  }
  BOOST_TEST((on.run_to_end() == end_reason::write_timeout));
}

// Fewer bytes than the kernel needs to be read before it calls the socket writable.
BOOST_AUTO_TEST_CASE(each_byte_that_is_taken_starts_the_timeouts_anew) {
  for (const upcase::stream_timeouts limit :
       {upcase::stream_timeouts{.idle = 0ms, .write = 800ms},
        upcase::stream_timeouts{.idle = 800ms, .write = 0ms}}) {
    bench on(limit);
    on.start();
    fill(on);
    for (int i = 0; i < 20; ++i) {  // 3 s in all, never 800 ms without progress
      on.run(150ms);
      BOOST_REQUIRE(!on.reason.has_value());
      BOOST_TEST(test::receive(on.client.get(), 100, 0ms).size() == 100U);
    }
    const auto stopped = std::chrono::steady_clock::now();
    const bool idle = limit.write == 0ms;
    BOOST_TEST((on.run_to_end() == (idle ? end_reason::idle_timeout : end_reason::write_timeout)));
    // What it took after the last look counts from the next one.
    BOOST_TEST((std::chrono::steady_clock::now() - stopped < 2400ms));
  }
}

// All of its output is with the kernel; what it has still to read keeps it in.
BOOST_AUTO_TEST_CASE(who_reads_is_not_idle) {
  bench on({.idle = 800ms, .write = 1h});
  on.start();
  test::send_all(on.client.get(), test::random_bytes(50'000));
  for (int i = 0; i < 10; ++i) {
    on.run(150ms);
    BOOST_REQUIRE(!on.reason.has_value());
    BOOST_TEST(test::receive(on.client.get(), 100, 0ms).size() == 100U);
  }
  BOOST_TEST((on.run_to_end() == end_reason::idle_timeout));
}

BOOST_AUTO_TEST_CASE(who_never_takes_a_byte_is_ended_after_the_timeout) {
  bench on({.idle = 0ms, .write = 1s});
  on.start();
  const auto started = std::chrono::steady_clock::now();
  fill(on);
  BOOST_TEST((on.run_to_end() == end_reason::write_timeout));
  BOOST_TEST((std::chrono::steady_clock::now() - started < 1900ms));
}

BOOST_AUTO_TEST_CASE(a_stop_answers_what_was_sent_before) {
  bench on;
  on.start();
  const std::string sent = fill(on);
  on.session().request_stop();
  BOOST_TEST(::send(on.client.get(), "x", 1, MSG_NOSIGNAL) == -1);
  BOOST_TEST((drain(on) == test::reference_uppercase(sent)));
  BOOST_TEST((on.run_to_end() == end_reason::drained));
}

BOOST_AUTO_TEST_CASE(an_abort_ends_whatever_it_waits_for) {
  for (const bool full : {false, true}) {
    bench on;
    on.start();
    if (full) {
      fill(on);
    }
    on.session().abort(end_reason::aborted);
    BOOST_TEST((on.reason == end_reason::aborted));
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_vanishes_with_bytes_under_way) {
  bench on;
  on.start();
  fill(on);
  on.client.reset();
  BOOST_TEST((on.run_to_end() == end_reason::reset));
}

BOOST_AUTO_TEST_CASE(a_copy_of_its_socket_elsewhere_wakes_nobody_and_keeps_nobody_waiting) {
  bench on;
  on.start();
  const upcase::file_descriptor copy(::dup(on.session().connection().fd()));
  on.session().abort(end_reason::aborted);
  BOOST_REQUIRE(on.reason.has_value());
  BOOST_TEST(test::refused(on.client.get()));
  BOOST_TEST(on.count_turns(20ms) == 0U);
}

BOOST_AUTO_TEST_CASE(who_sends_descriptors_is_ended) {
  bench on;
  on.start();
  test::send_all(on.client.get(), "x");
  BOOST_TEST(test::send_descriptors(on.client.get(), {on.client.get()}) == 0);
  BOOST_TEST((on.run_to_end() == end_reason::sent_descriptors));
}

BOOST_AUTO_TEST_CASE(a_handlers_exception_ends_its_client_only) {
  for (const auto& fails : {throws_at_once, throws_before_it_is_one}) {
    bench first;
    first.start(fails);
    BOOST_TEST((first.reason == end_reason::failed));
  }
  bench second;
  second.start(throws_after_a_read);
  BOOST_TEST(!second.reason.has_value());
  test::send_all(second.client.get(), "x");
  BOOST_TEST((second.run_to_end() == end_reason::failed));
  BOOST_TEST(test::refused(second.client.get()));
}

BOOST_AUTO_TEST_CASE(a_handler_may_leave_first) {
  bench on;
  on.start(one_answer);
  test::send_all(on.client.get(), "once");
  BOOST_TEST((on.run_to_end() == end_reason::closed));
  BOOST_TEST(test::receive(on.client.get(), 4) == "once");
}

BOOST_AUTO_TEST_CASE(reads_after_the_end_yield_nothing) {
  bench on;
  on.start(never_finishes_by_itself);
  test::send_all(on.client.get(), "ignored");
  on.client.reset();
  const auto ended = on.run_to_end();
  BOOST_TEST((ended == end_reason::closed || ended == end_reason::reset));
}

BOOST_AUTO_TEST_SUITE_END()
