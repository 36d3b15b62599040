// shared_loop: sessions on one event loop: none of them takes more than its share of
// a turn, and each keeps its deadline while it waits for the others.

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <upcase/event_loop.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/session.hpp>
#include <utility>

#include "support/client.hpp"
#include "support/lingering_socket.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"

namespace {

using namespace std::chrono_literals;
using upcase::end_reason;

// More than a connection holds.
constexpr std::size_t much = std::size_t{4} << 20U;

// A client, and the session that serves it.
struct connection {
  upcase::file_descriptor client;
  int server = -1;
  std::unique_ptr<upcase::session> session;
  std::optional<end_reason> reason;

  [[nodiscard]] std::uint64_t bytes_in() const { return session->connection().bytes_in(); }
  [[nodiscard]] std::uint64_t bytes_out() const { return session->connection().bytes_out(); }
};

class bench final : public upcase::session_owner {
 public:
  explicit bench(upcase::stream_timeouts timeouts = {}) : loop_(timeouts) {}

  /// Not served yet.
  connection& connect() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    connection& one = connections_.emplace_back();
    one.client.reset(ends[0]);
    one.server = ends[1];
    return one;
  }

  void serve(connection& one, const upcase::handler& handler) {
    upcase::admitted_client admitted;
    admitted.id = connections_.size();
    admitted.socket.reset(one.server);
    one.session = std::make_unique<upcase::session>(loop_, *this, std::move(admitted));
    one.session->start(handler);
  }

  void turn() { loop_.turn(upcase::readiness::patience::none); }

  bool run_until_end_of(const connection& one) {
    return test::eventually([&] {
      turn();
      return one.reason.has_value();
    });
  }

 private:
  void session_over(upcase::session& over) noexcept override {
    for (connection& one : connections_) {
      if (one.session.get() == &over) {
        one.reason = over.reason();
        one.session.reset();
        return;
      }
    }
  }

  upcase::event_loop loop_;
  std::list<connection> connections_;
};

upcase::task read_on(upcase::stream& client, const upcase::peer& /*who*/) {
  for (auto bytes = co_await client.read(); !bytes.empty(); bytes = co_await client.read()) {
  }
}

upcase::task write_on(upcase::stream& client, const upcase::peer& /*who*/) {
  const std::string block(much, 'x');
  for (bool more = true; more;) {
    more = co_await client.write(block);
  }
}

// Whether the last word could be said.
upcase::task say_farewell(upcase::stream& client, bool& said) {
  for (auto bytes = co_await client.read(); !bytes.empty(); bytes = co_await client.read()) {
  }
  said = co_await client.write(std::string_view("farewell"));
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(upcase::end_reason)

BOOST_AUTO_TEST_SUITE(shared_loop)

BOOST_AUTO_TEST_CASE(a_turn_reads_a_few_buffers_and_no_more) {
  SKIP_UNLESS(test::is_root(), "only root gives a socket so much room");
  constexpr std::size_t least = 2 * upcase::event_loop::buffer_size;
  constexpr std::size_t most = 4 * upcase::event_loop::buffer_size;
  bench on;
  connection& one = on.connect();
  const int room = 4 * much;
  BOOST_REQUIRE(::setsockopt(one.client.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) ==
                0);
  test::send_all(one.client.get(), std::string(much, 'x'));
  on.serve(one, read_on);
  for (int i = 0; i < 5; ++i) {
    const auto before = one.bytes_in();
    on.turn();
    BOOST_TEST(one.bytes_in() - before >= least);
    BOOST_TEST(one.bytes_in() - before <= most);
  }
}

// The kernel is asked for one client after the other; who waits for that may take
// output meanwhile, and then nothing more.
BOOST_AUTO_TEST_CASE(who_takes_output_while_another_is_looked_at_is_looked_at_later) {
  constexpr auto limit = 100ms;
  bench on({.idle = 0ms, .write = limit});
  connection& first = on.connect();
  connection& second = on.connect();
  on.serve(first, write_on);
  on.serve(second, write_on);
  // Room for some of its output, but not enough for the kernel to say so.
  BOOST_REQUIRE(test::receive(second.client.get(), 50'000, 0ms).size() == 50'000U);
  pollfd writable{.fd = second.server, .events = POLLOUT, .revents = 0};
  BOOST_REQUIRE(::poll(&writable, 1, 0) == 0);
  const auto before = second.bytes_out();
  std::this_thread::sleep_for(limit + 10ms);  // both deadlines are due in the next turn
  on.turn();
  BOOST_TEST((first.reason == end_reason::write_timeout));
  BOOST_REQUIRE(!second.reason.has_value());
  BOOST_REQUIRE(second.bytes_out() > before);
  BOOST_TEST(on.run_until_end_of(second));
  BOOST_TEST((second.reason == end_reason::write_timeout));
}

BOOST_AUTO_TEST_CASE(who_finished_is_written_to_and_who_sent_descriptors_is_not) {
  for (const bool sends_descriptors : {false, true}) {
    bench on;
    connection& one = on.connect();
    bool said = sends_descriptors;
    on.serve(one, [&said](upcase::stream& client, const upcase::peer& /*who*/) {
      return say_farewell(client, said);
    });
    if (sends_descriptors) {
      BOOST_TEST(test::send_descriptors(one.client.get(), {one.client.get()}) == 0);
    } else {
      BOOST_REQUIRE(::shutdown(one.client.get(), SHUT_WR) == 0);
    }
    BOOST_TEST(on.run_until_end_of(one));
    BOOST_TEST(said == !sends_descriptors);
    BOOST_TEST(test::receive_to_end(one.client.get()) == (sends_descriptors ? "" : "farewell"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
