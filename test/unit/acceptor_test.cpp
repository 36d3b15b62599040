// acceptor: one loop that accepts, however often it is paused and started.

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <upcase/acceptor.hpp>
#include <upcase/listener.hpp>

#include "support/client.hpp"
#include "support/running_server.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;

// Counts what it is asked; takes whoever comes.
class counting_owner final : public upcase::acceptor_owner {
 public:
  bool no_place = false;
  mutable std::size_t asked = 0;
  std::size_t admitted = 0;
  std::size_t ends = 0;

 private:
  [[nodiscard]] std::size_t clients() const noexcept override { return admitted; }
  [[nodiscard]] bool full() const noexcept override {
    ++asked;
    return no_place;
  }
  [[nodiscard]] bool crowded() const noexcept override { return false; }
  int admit(upcase::newcomer& who) noexcept override {
    who.socket.reset();
    ++admitted;
    return 0;
  }
  void accepting_ended() override { ++ends; }
  void accepting_changed() noexcept override {}
};

struct fixture {
  test::temporary_directory place;
  boost::asio::io_context context{1};
  test::memory_log journal;
  counting_owner owner;
  upcase::listener listener{place.path() / "s", 0666, 16};
  upcase::acceptor acceptor{context, listener.take_socket(), owner, journal};

  // Pauses and starts again before the loop that accepts has noticed, as where
  // the event loops answer faster than its cancelled wait.
  void fail_to_hand_over() {
    acceptor.pause();
    acceptor.start();
    context.run_for(10ms);
  }

  bool ends() {
    acceptor.finish(0, upcase::late_clients::wait);
    context.run_for(5s);
    return context.stopped() && owner.ends == 1;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acceptor, fixture)

BOOST_AUTO_TEST_CASE(paused_and_started_at_once_it_is_one_loop) {
  acceptor.start();
  context.run_for(10ms);
  owner.no_place = true;
  acceptor.look_up();
  context.run_for(10ms);
  for (int i = 0; i < 3; ++i) {
    fail_to_hand_over();
  }
  // Two loops that wait for a place would end each other's wait all the time.
  owner.asked = 0;
  context.run_for(200ms);
  BOOST_TEST(owner.asked == 0U);
  owner.no_place = false;
  acceptor.look_up();
  const auto client = test::make_socket();
  test::connect_to(client.get(), place.path() / "s");
  BOOST_TEST(test::eventually([&] {
    context.run_for(5ms);
    return owner.admitted == 1;
  }));
  BOOST_TEST(ends());
}

BOOST_AUTO_TEST_CASE(paused_and_finished_at_once_it_takes_the_backlog_and_ends_once) {
  acceptor.start();
  context.run_for(10ms);
  acceptor.pause();
  const auto client = test::make_socket();
  test::connect_to(client.get(), place.path() / "s");
  acceptor.finish(16, upcase::late_clients::wait);
  context.run_for(5s);
  BOOST_TEST(context.stopped());
  BOOST_TEST(owner.admitted == 1U);
  BOOST_TEST(owner.ends == 1U);
}

BOOST_AUTO_TEST_CASE(without_a_start_it_ends_at_once) { BOOST_TEST(ends()); }

BOOST_AUTO_TEST_SUITE_END()
