// slow_file_system: a client directory on a file system that takes its time. Clients
// there wait for it, and nobody else does.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>
#include <string_view>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"
#include "support/slow_file_system.hpp"

namespace {

using upcase::file_descriptor;

// What has nothing to wait for any more.
constexpr std::chrono::seconds soon{10};

// A daemon with a second, slow client directory.
struct scene {
  explicit scene(const char* config = "") : files(place.path()) {
    if (files.mounted()) {
      daemon.emplace(test::daemon::options{
          .arguments = {"--client-directory", place.path().native()}, .config = config});
    }
  }

  // Who has sent "x", and is waited for by the daemon.
  [[nodiscard]] file_descriptor connect_held(mode_t mode = 0700) {
    auto client = test::make_socket();
    test::bind_to(client.get(), place.path() / "slow", mode);
    files.hold();
    test::connect_to(client.get(), daemon->socket());
    BOOST_REQUIRE(test::eventually([&] { return files.waiting() == 1; }));
    test::send_all(client.get(), "x");
    return client;
  }

  test::temporary_directory place;
  test::slow_file_system files;
  std::optional<test::daemon> daemon;
};

}  // namespace

#define SKIP_WITHOUT_FUSE(scene) \
  SKIP_UNLESS(scene.files.mounted(), "no FUSE here: it needs root and /dev/fuse")

BOOST_AUTO_TEST_SUITE(slow_file_system)

BOOST_AUTO_TEST_CASE(only_who_has_a_file_there_waits) {
  scene here;
  SKIP_WITHOUT_FUSE(here);
  const auto client = here.connect_held();
  BOOST_TEST(test::served(here.daemon->connect().get()));
  BOOST_TEST(here.daemon->count("slow") == 0U);
  BOOST_TEST(here.files.holds("slow"));
  here.files.go_on();
  BOOST_REQUIRE(test::receive(client.get(), 1, soon) == "X");
  BOOST_TEST(test::eventually([&] { return !here.files.holds("slow"); }));
  BOOST_TEST(here.daemon->stop().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(the_rules_at_the_time_of_the_answer_hold) {
  scene here;
  SKIP_WITHOUT_FUSE(here);
  const auto client = here.connect_held();
  test::write_file(here.daemon->config(), "deny-user = root\n");
  BOOST_REQUIRE(here.daemon->reload());
  here.files.go_on();
  BOOST_REQUIRE(test::refused(client.get(), soon));
  BOOST_TEST(here.daemon->logged("verdict=denied"));
  BOOST_TEST(here.files.holds("slow"));
}

BOOST_AUTO_TEST_CASE(a_reload_has_the_check_made_anew) {
  scene here("client-mode = any\n");
  SKIP_WITHOUT_FUSE(here);
  const auto client = here.connect_held(0755);
  test::write_file(here.daemon->config(), "client-mode = private\n");
  BOOST_REQUIRE(here.daemon->reload());
  here.files.go_on();
  BOOST_REQUIRE(test::refused(client.get(), soon));
  BOOST_TEST(here.daemon->logged("verdict=mode "), here.daemon->log());
}

BOOST_AUTO_TEST_CASE(a_stop_serves_who_waits) {
  scene here;
  SKIP_WITHOUT_FUSE(here);
  const auto client = here.connect_held();
  here.daemon->signal(SIGTERM);
  BOOST_REQUIRE(here.daemon->logged("state=draining"));
  BOOST_TEST(here.daemon->count("state=stopped") == 0U);
  here.files.go_on();
  BOOST_TEST(test::receive_to_end(client.get()) == "X");
  BOOST_TEST(here.daemon->wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_second_signal_stops_at_once) {
  scene here;
  SKIP_WITHOUT_FUSE(here);
  const auto client = here.connect_held();
  here.daemon->signal(SIGTERM);
  BOOST_REQUIRE(here.daemon->logged("state=draining"));
  here.daemon->signal(SIGTERM);
  BOOST_REQUIRE(here.daemon->logged("state=stopped"));
  BOOST_REQUIRE(test::refused(client.get(), soon));
  here.files.go_on();
  BOOST_TEST(here.daemon->wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_hand_over_waits_a_second_and_no_more) {
  scene here;
  SKIP_WITHOUT_FUSE(here);
  const auto in = here.daemon->connect();
  BOOST_TEST(test::served(in.get()));
  const auto client = here.connect_held();
  here.daemon->signal(SIGUSR2);
  BOOST_REQUIRE(test::refused(client.get(), soon));
  here.files.go_on();
  BOOST_TEST(here.daemon->logged("taken-over=yes"));
  BOOST_TEST(test::served(in.get()));
  BOOST_TEST(test::served(here.daemon->connect().get()));
}

BOOST_AUTO_TEST_SUITE_END()
