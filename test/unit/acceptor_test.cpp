// acceptor: one loop that accepts, however often it is paused and started, and how
// many it takes at a time.

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string_view>
#include <upcase/acceptor.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/listener.hpp>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "support/running_server.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;

// Counts what it is asked; takes whoever comes, unless it is short of something.
class counting_owner final : public upcase::acceptor_owner {
 public:
  bool no_place = false;
  int shortage = 0;                            // what `admit` answers
  std::function<void()> on_admission = [] {};  // called for each one that it takes
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
    if (shortage != 0) {
      return shortage;
    }
    who.socket.reset();
    ++admitted;
    on_admission();
    return 0;
  }
  void accepting_ended() override { ++ends; }
  void accepting_changed() noexcept override {}
};

// Keeps the lines, and does something else when it is told of a full server.
class reacting_log final : public upcase::log {
 public:
  std::function<void()> when_full = [] {};

  [[nodiscard]] std::size_t count(std::string_view text) const {
    return test::occurrences(lines_, text);
  }

 private:
  void do_write(upcase::log_level /*level*/, upcase::event what,
                upcase::log_fields fields) override {
    const std::string line = upcase::format_event(what, fields);
    lines_ += line + '\n';
    if (line.find("max-clients reached") != std::string::npos) {
      when_full();
    }
  }

  std::string lines_;
};

struct fixture {
  test::temporary_directory place;
  boost::asio::io_context context{1};
  reacting_log journal;
  counting_owner owner;
  upcase::listener listener{place.path() / "s", 0666, 256};
  upcase::acceptor acceptor{context, listener.take_socket(), owner, journal};

  // Clients in the backlog.
  [[nodiscard]] std::vector<upcase::file_descriptor> connect(std::size_t count) const {
    std::vector<upcase::file_descriptor> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(test::make_socket());
      test::connect_to(all.back().get(), place.path() / "s");
    }
    return all;
  }

  bool run_until(const std::function<bool()>& condition) {
    return test::eventually([&] {
      context.run_for(1ms);
      return condition();
    });
  }

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
  const auto client = connect(1);
  BOOST_TEST(run_until([&] { return owner.admitted == 1; }));
  BOOST_TEST(ends());
}

BOOST_AUTO_TEST_CASE(paused_and_finished_at_once_it_takes_the_backlog_and_ends_once) {
  acceptor.start();
  context.run_for(10ms);
  acceptor.pause();
  const auto client = connect(1);
  acceptor.finish(16, upcase::late_clients::wait);
  context.run_for(5s);
  BOOST_TEST(context.stopped());
  BOOST_TEST(owner.admitted == 1U);
  BOOST_TEST(owner.ends == 1U);
}

BOOST_AUTO_TEST_CASE(without_a_start_it_ends_at_once) { BOOST_TEST(ends()); }

BOOST_AUTO_TEST_CASE(at_an_end_it_takes_as_many_as_it_is_told) {
  acceptor.start();
  context.run_for(10ms);
  acceptor.pause();
  const auto waiting = connect(10);
  acceptor.finish(2, upcase::late_clients::wait);
  context.run_for(5s);
  BOOST_TEST(context.stopped());
  BOOST_TEST(owner.admitted == 2U);
  BOOST_TEST(owner.ends == 1U);
}

BOOST_AUTO_TEST_CASE(others_have_their_turn_while_many_wait) {
  constexpr std::size_t many = 200;
  constexpr std::size_t most_at_a_time = 64;
  const auto waiting = connect(many);
  // What is posted with the first one taken has its turn before the last one is.
  std::size_t taken_before = 0;
  owner.on_admission = [&] {
    if (owner.admitted == 1) {
      boost::asio::post(context, [&] { taken_before = owner.admitted; });
    }
  };
  acceptor.start();
  BOOST_TEST(run_until([&] { return owner.admitted == many; }));
  BOOST_TEST(taken_before > 0U);
  BOOST_TEST(taken_before <= most_at_a_time);
}

BOOST_AUTO_TEST_CASE(a_place_that_comes_free_while_the_log_is_written_is_taken) {
  owner.no_place = true;
  journal.when_full = [&] {
    owner.no_place = false;
    acceptor.look_up();
  };
  const auto waiting = connect(1);
  acceptor.start();
  BOOST_TEST(run_until([&] { return owner.admitted == 1; }));
}

BOOST_AUTO_TEST_CASE(each_shortage_is_told_at_its_begin_and_its_end) {
  acceptor.start();
  for (std::size_t round = 1; round <= 3; ++round) {
    owner.shortage = EMFILE;
    const auto waiting = connect(1);
    BOOST_REQUIRE(run_until([&] { return journal.count("accepting=paused") == round; }));
    owner.shortage = 0;
    acceptor.look_up();
    BOOST_REQUIRE(run_until([&] { return owner.admitted == round; }));
    acceptor.shortage_over();
    BOOST_TEST(journal.count("accepting=resumed") == round);
  }
}

BOOST_AUTO_TEST_CASE(a_pause_closes_who_has_not_been_checked) {
  acceptor.start();
  owner.shortage = EMFILE;
  const auto waiting = connect(2);
  BOOST_REQUIRE(run_until([&] { return journal.count("accepting=paused") == 1; }));
  acceptor.pause();
  BOOST_TEST(test::refused(waiting[0].get()));
  // The other one is still in the backlog.
  owner.shortage = 0;
  acceptor.start();
  BOOST_TEST(run_until([&] { return owner.admitted == 1; }));
  BOOST_TEST(test::refused(waiting[1].get()));
}

BOOST_AUTO_TEST_SUITE_END()
