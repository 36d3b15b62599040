// inherited_settings: a restart with an error in the configuration is what a
// reload with one is.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/name_service.hpp"
#include "support/successor.hpp"

namespace {

using namespace std::chrono_literals;
using test::bring_in;
using test::hand_over;
using upcase::file_descriptor;

file_descriptor settings_of(std::string_view text, bool sealed = true) {
  file_descriptor result(::memfd_create("settings", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  BOOST_REQUIRE(::write(result.get(), text.data(), text.size()) ==
                static_cast<ssize_t>(text.size()));
  if (sealed) {
    BOOST_REQUIRE(::fcntl(result.get(), F_ADD_SEALS,
                          F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0);
  }
  return result;
}

constexpr const char* bad = "max-clients-per-user = 2\nidle-timeout = 5 parsecs\n";
constexpr const char* good = "max-clients-per-user = 2\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(inherited_settings, test::restarting_manager)

BOOST_AUTO_TEST_CASE(with_an_error_in_the_configuration_the_old_one_goes_on) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  test::write_file(daemon.config(), bad);
  for (std::size_t round = 1; round <= 2; ++round) {
    restart(daemon);
    BOOST_TEST(daemon.count("configuration=refused problem=") == round);
    BOOST_TEST(daemon.count("configuration=kept") == round);
    BOOST_TEST(manager.heard("restarted, still with the old configuration: "));
    BOOST_TEST(test::served(client.get()));
    BOOST_TEST(test::eventually([&] { return manager.store().empty(); }));
  }
  // By the old settings, two are a user's most.
  const auto second = daemon.connect();
  BOOST_TEST(test::served(second.get()));
  BOOST_TEST(test::refused(daemon.connect().get()));
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.count("reload=refused") == 1U);
  test::write_file(daemon.config(), "max-clients-per-user = 3\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.count("reload=done") == 1U);
  BOOST_TEST(manager.heard("STATUS=2 clients, 2 served, 1 refused\n"));
  BOOST_TEST(test::served(daemon.connect().get()));
  BOOST_TEST(test::served(client.get()));
}

BOOST_AUTO_TEST_CASE(a_name_service_that_does_not_answer_keeps_no_client_waiting) {
  test::name_service names;
  auto options = with_store("deny-user = daemon\n");
  const auto more = names.environment();
  options.environment.insert(options.environment.end(), more.begin(), more.end());
  test::daemon daemon(options);
  const auto client = bring_in(daemon);
  names.hold();
  restart(daemon);
  BOOST_TEST(daemon.count("configuration=kept") == 1U);
  BOOST_TEST(manager.heard("it is still being read"));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
  BOOST_TEST(daemon.count("reload=done") == 0U);
  names.release();
  BOOST_TEST(daemon.logged("reload=done"));
  BOOST_TEST(test::served(client.get()));
}

BOOST_AUTO_TEST_CASE(a_user_who_is_gone_costs_nobody) {
  // The number that the name stood for goes on; by exec, where the check is the
  // name service's that has not noticed yet.
  const test::replaceable_program program;
  test::daemon daemon({.bare = true,
                       .config = "allow-user = root\nallow-user = 4711\n",
                       .program = program.path()});
  const auto client = bring_in(daemon);
  test::write_file(daemon.config(), "allow-user = gone-since\n");
  program.become(":", ":");
  BOOST_TEST(hand_over(daemon));
  BOOST_TEST(daemon.count("no such user") > 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(what_a_reload_changes_during_the_check_travels) {
  const test::replaceable_program program;
  test::daemon daemon({.bare = true, .config = "", .program = program.path()});
  const auto client = bring_in(daemon);
  const auto checks = daemon.directory() / "checks";
  const auto go = daemon.directory() / "go";
  program.become(fmt::format("touch '{}'; until [ -e '{}' ]; do sleep 0.01; done", checks.native(),
                             go.native()),
                 ":");
  daemon.signal(SIGUSR2);
  BOOST_REQUIRE(test::eventually([&] { return std::filesystem::exists(checks); }));
  test::write_file(daemon.config(), "max-clients-per-user = 1\n");
  BOOST_REQUIRE(daemon.reload());
  test::write_file(daemon.config(), bad);
  test::write_file(go, "");
  BOOST_REQUIRE(daemon.logged("configuration=kept"));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::refused(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(without_a_client_a_restart_is_as_sure) {
  test::daemon daemon(with_store(good));
  test::write_file(daemon.config(), bad);
  restart(daemon);
  BOOST_TEST(test::served(daemon.connect().get()));
  // What was taken over is not kept for a third process.
  BOOST_TEST(test::eventually([&] { return manager.store().empty(); }));
}

BOOST_AUTO_TEST_CASE(a_first_start_with_an_error_is_refused) {
  const test::temporary_directory place;
  test::write_file(place.path() / "conf", bad);
  const auto outcome = test::run({UPCASED_PROGRAM, "--config", place.path() / "conf"}, "",
                                 {"RUNTIME_DIRECTORY=" + place.path().native()});
  BOOST_TEST(outcome.code == 78);
}

BOOST_AUTO_TEST_CASE(a_command_line_that_is_wrong_costs_nobody) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  end(daemon);
  begin(daemon, {"--no-such-option"});
  BOOST_TEST(daemon.count("command line: ") > 0U);
  BOOST_TEST(test::served(client.get()));
  // What it would mean is not known, so that no reload can succeed.
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.count("reload=refused") == 1U);
  restart(daemon);
  BOOST_TEST(test::served(client.get()));
}

BOOST_AUTO_TEST_CASE(settings_of_another_version_are_understood) {
  test::daemon daemon(with_store(good));
  const auto client = bring_in(daemon);
  test::write_file(daemon.config(), bad);
  end(daemon);
  replace("upcased-settings", settings_of("socket = " + daemon.socket().native() +
                                          "\nclient-directory = " + daemon.clients().native() +
                                          "\nfuture-setting = 7\nmax-clients = 999999999\n"
                                          "deny-user = 4711\n"));
  begin(daemon);
  BOOST_TEST(daemon.count("inherited-setting=ignored name=future-setting") > 0U);
  BOOST_TEST(daemon.count("max-clients=999999999") == 0U);
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_CASE(settings_that_cannot_be_trusted_serve_nobody) {
  const auto start_with = [&](file_descriptor settings) {
    test::daemon daemon(with_store(good));
    test::write_file(daemon.config(), bad);
    end(daemon);
    replace("upcased-settings", std::move(settings));
    daemon.start_with(passed(), {"--backlog", "8"});
    BOOST_TEST(daemon.wait().value_or(-1) == 78);
    BOOST_TEST(daemon.count("inherited-settings=refused") > 0U);
    manager.store().clear();
  };
  start_with(settings_of("deny-user = 4711\n", false));
  start_with(settings_of("deny-user = somebody-unknown\n"));
  start_with(settings_of("noise"));
  start_with(file_descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
}

BOOST_AUTO_TEST_SUITE_END()
