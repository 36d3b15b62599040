// write_only: handlers that do nothing but write, as those that read and write
// in turn never do: each turn of the loop is bounded, and each write waits.

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <upcase/event_loop.hpp>
#include <upcase/session.hpp>

#include "support/client.hpp"
#include "support/running_server.hpp"
#include "support/skip.hpp"

namespace {

using namespace std::chrono_literals;
using upcase::end_reason;

// More than any turn may write.
constexpr std::size_t much = std::size_t{4} << 20U;

upcase::task write_blocks(upcase::stream& to, const std::string& block, std::size_t& writes) {
  for (bool more = true; more;) {
    more = co_await to.write(block);
    writes += more ? 1 : 0;
  }
}

// One session whose handler writes `block` until it cannot any more.
class bench final : public upcase::session_owner {
 public:
  explicit bench(std::size_t block, upcase::stream_timeouts timeouts = {})
      : block_(block, 'x'), loop_(timeouts) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    client.reset(ends[0]);
    server_.reset(ends[1]);
  }
  bench(const bench&) = delete;
  bench& operator=(const bench&) = delete;

  /// Room for `much` in the kernel, so that no write has to wait for a reader.
  void make_room() const {
    const int size = 8 * much;
    BOOST_REQUIRE(::setsockopt(server_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) == 0);
  }

  void start() {
    upcase::admitted_client admitted;
    admitted.socket = std::move(server_);
    session_ = std::make_unique<upcase::session>(loop_, *this, std::move(admitted));
    session_->start([this](upcase::stream& to, const upcase::peer&) {
      return write_blocks(to, block_, writes);
    });
  }

  void turn() { loop_.turn(upcase::readiness::patience::none); }

  [[nodiscard]] upcase::session& session() { return *session_; }
  [[nodiscard]] std::uint64_t bytes_out() const { return session_->connection().bytes_out(); }

  upcase::file_descriptor client;
  std::optional<end_reason> reason;
  std::size_t writes = 0;  // that are over

 private:
  void session_over(upcase::session& over) noexcept override {
    reason = over.reason();
    session_.reset();
  }

  std::string block_;
  upcase::event_loop loop_;
  upcase::file_descriptor server_;
  std::unique_ptr<upcase::session> session_;
};

// One who says "w" is written to without end, others are answered.
upcase::task either(upcase::stream& client, const upcase::peer& /*who*/) {
  const std::string block(16'384, 'x');
  for (auto bytes = co_await client.read(); !bytes.empty(); bytes = co_await client.read()) {
    const bool endless = bytes.front() == 'w';
    co_await client.write(bytes);
    for (bool more = endless; more;) {
      more = co_await client.write(block);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(write_only)

BOOST_AUTO_TEST_CASE(a_turn_writes_so_much_and_no_more) {
  SKIP_UNLESS(test::is_root(), "only root gives a socket so much room");
  constexpr std::size_t most = std::size_t{1} << 20U;
  for (const std::size_t block : {std::size_t{64}, std::size_t{65'536}, much}) {
    bench on(block);
    on.make_room();
    on.start();
    BOOST_TEST(on.bytes_out() > 0U);
    BOOST_TEST(on.bytes_out() <= most);
    BOOST_TEST(on.writes <= 1'000U);
    // It goes on by itself, nobody having read anything.
    for (int i = 0; i < 3; ++i) {
      const auto before = on.bytes_out();
      const auto writes_before = on.writes;
      on.turn();
      BOOST_TEST(on.bytes_out() > before);
      BOOST_TEST(on.bytes_out() - before <= most);
      BOOST_TEST(on.writes - writes_before <= 1'000U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_write_is_over_when_the_kernel_has_all) {
  bench on(much);
  on.start();
  std::size_t taken = 0;
  while (taken < 2 * much) {
    BOOST_REQUIRE(on.writes * much <= on.bytes_out());
    BOOST_REQUIRE(on.bytes_out() < taken + much);
    on.turn();
    taken += test::receive(on.client.get(), 30'000, 0ns).size();
  }
  BOOST_TEST(on.writes >= 1U);
}

BOOST_AUTO_TEST_CASE(after_an_abort_nothing_can_be_written) {
  for (const std::size_t block : {std::size_t{65'536}, much}) {
    bench on(block);
    on.start();
    on.session().abort(end_reason::aborted);
    BOOST_TEST((on.reason == end_reason::aborted));
  }
}

BOOST_AUTO_TEST_CASE(who_reads_nothing_of_it_is_ended) {
  bench on(4096, {.idle = 0ms, .write = 100ms});
  on.start();
  BOOST_TEST(test::eventually([&] {
    on.turn();
    return on.reason.has_value();
  }));
  BOOST_TEST((on.reason == end_reason::write_timeout));
}

BOOST_AUTO_TEST_CASE(others_are_served_while_a_fast_reader_is_written_to) {
  test::running_server server(test::roomy(), 1, either);
  server->start();
  const auto greedy = server.connect();
  test::send_all(greedy.get(), "w");
  std::jthread reader([&](const std::stop_token& over) {
    while (!over.stop_requested()) {
      test::receive(greedy.get(), 65'536, 10ms);
    }
  });
  for (int i = 0; i < 50; ++i) {
    const auto other = server.connect();
    test::send_all(other.get(), "hello");
    BOOST_REQUIRE(server.receive(other.get(), 5) == "hello");
  }
}

BOOST_AUTO_TEST_CASE(a_stop_at_once_ends_it) {
  test::running_server server(test::roomy(), 1, either);
  server->start();
  const auto client = server.connect();
  test::send_all(client.get(), "w");
  BOOST_REQUIRE(server.receive(client.get(), 100'000).size() == 100'000U);
  bool stopped = false;
  server->stop([&] { stopped = true; });
  server->stop_now();
  BOOST_TEST(server.run_until([&] { return stopped; }, 5s));
}

BOOST_AUTO_TEST_SUITE_END()
