// listening: which socket a successor serves where it may choose.

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sys/socket.h>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/successor.hpp"

namespace {

using namespace std::chrono_literals;
using test::bring_in;
using test::hand_over;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listening, test::restarting_manager)

BOOST_AUTO_TEST_CASE(a_socket_configured_elsewhere_moves_by_exec) {
  test::daemon daemon({.bare = true, .config = "max-clients = 1\nclient-max-age = 0\n"});
  const auto client = bring_in(daemon);
  const auto waiting = daemon.connect();
  BOOST_TEST(daemon.logged("max-clients reached"));
  const auto moved = daemon.directory() / "moved.sock";
  test::write_file(daemon.config(), "socket = " + moved.native() + "\nmax-clients = 2\n");
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::refused(waiting.get(), 5s));
  BOOST_TEST(!std::filesystem::exists(daemon.socket()));
  BOOST_TEST(!std::filesystem::exists(daemon.socket().native() + ".lock"));
  BOOST_TEST(daemon.count("listener=closed socket=" + daemon.socket().native()) == 1U);
  BOOST_TEST(test::served(test::connect_client(moved, daemon.clients()).get()));
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  BOOST_TEST(!std::filesystem::exists(moved));
  BOOST_TEST(!std::filesystem::exists(moved.native() + ".lock"));
}

BOOST_AUTO_TEST_CASE(a_socket_configured_elsewhere_moves_through_the_store) {
  test::daemon daemon(with_store(""));
  const auto client = bring_in(daemon);
  const auto moved = daemon.directory() / "moved.sock";
  test::write_file(daemon.config(), "socket = " + moved.native() + "\n");
  restart(daemon);
  // What the store still has of the old one listens as well.
  BOOST_TEST(test::eventually([&] { return manager.store().empty(); }));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(!std::filesystem::exists(daemon.socket()));
  BOOST_TEST(test::served(test::connect_client(moved, daemon.clients()).get()));
}

BOOST_AUTO_TEST_CASE(a_new_socket_that_is_taken_leaves_the_old_one) {
  const test::daemon other;
  test::daemon daemon(with_store(""));
  const auto client = bring_in(daemon);
  test::write_file(daemon.config(), "socket = " + other.socket().native() + "\n");
  restart(daemon);
  BOOST_TEST(daemon.count("already running") > 0U);
  BOOST_TEST(daemon.count("state=serving socket=" + daemon.socket().native() + ' ') == 2U);
  BOOST_TEST(manager.heard("served, 0 refused; restarted, but already running"));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(other.connect().get()));
  // No reload mends that, and the status goes on to say so.
  BOOST_TEST(daemon.reload());
  const std::size_t before = manager.messages().size();
  BOOST_TEST(test::served(daemon.connect().get()));
  BOOST_TEST(test::eventually([&] {
    return manager.messages().find("refused; restarted, but already running", before) !=
           std::string::npos;
  }));
  // And so it stays, once it is to be had.
  test::write_file(daemon.config(), "");
  restart(daemon);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(an_activated_socket_beats_one_of_its_own) {
  for (const bool same_path : {false, true}) {
    test::daemon daemon(with_store(""));
    const auto client = bring_in(daemon);
    end(daemon);
    const auto path = same_path ? daemon.socket() : daemon.directory() / "activated";
    const auto activated = test::make_socket();
    std::filesystem::remove(path);
    test::bind_to(activated.get(), path, 0666);
    BOOST_REQUIRE(::listen(activated.get(), 16) == 0);
    auto all = passed();
    all.push_back({"upcased", activated.get()});
    daemon.start_with(all);
    BOOST_TEST(test::served(client.get()));
    BOOST_TEST(test::served(test::connect_client(path, daemon.clients()).get()));
    BOOST_TEST(daemon.count("listener=closed") == 1U);
    BOOST_TEST(std::filesystem::exists(daemon.socket()) == same_path);
    BOOST_TEST(!std::filesystem::exists(daemon.socket().native() + ".lock"));
    BOOST_TEST(test::eventually([&] { return manager.store().empty(); }));
  }
}

BOOST_AUTO_TEST_SUITE_END()
