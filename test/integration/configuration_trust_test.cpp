// configuration_trust: who else may have written a configuration, and what its
// bytes do to the terminal of whoever looks at it.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "support/daemon.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"

namespace {

test::outcome check(std::vector<std::string> arguments) {
  std::vector<std::string> argv{UPCASED_PROGRAM, "--check"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return test::run(argv);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(configuration_trust)

BOOST_AUTO_TEST_CASE(nothing_that_a_terminal_obeys_is_said) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  const auto drop_ins = place.path() / "upcased.conf.d";
  std::filesystem::create_directory(drop_ins);
  // C1 as UTF-8 and as a bare byte, what is no UTF-8, and a name with an escape.
  test::write_file(file,
                   "threads = \xc2\x9b\x33\x31m\nbacklog = \x9b\nsocket-mode = \xff\n\xc3 = 1\n");
  test::write_file(drop_ins / "\x1b[31m\n.conf", "threads = many\n");
  const auto plain = [](const test::outcome& outcome) {
    return !outcome.errors.empty() && std::ranges::all_of(outcome.errors, [](char c) {
      return c == '\n' || (c >= ' ' && c < '\x7f');
    });
  };
  const auto checked = check({"--config", file, "--socket", "/\x9b"});
  BOOST_TEST(checked.code == 78);
  BOOST_TEST(plain(checked), checked.errors);
  BOOST_TEST(checked.errors.find("threads: '\\xc2\\x9b31m'") != std::string::npos);
  BOOST_TEST(checked.errors.find("\\x1b[31m\\x0a.conf:1: threads") != std::string::npos);
  BOOST_TEST(plain(test::run({UPCASED_PROGRAM, "--\x9b"})));
  BOOST_TEST(plain(test::run({UPCASE_PROGRAM, "--socket", "/\x1b[31m", "x"})));
}

BOOST_AUTO_TEST_CASE(a_configuration_that_others_may_write_is_warned_of) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  const auto drop_ins = place.path() / "upcased.conf.d";
  const auto drop_in = drop_ins / "10.conf";
  test::write_file(file, "");
  std::filesystem::create_directory(drop_ins);
  test::write_file(drop_in, "");
  const std::vector<std::string> arguments{"--config", file};
  const auto chmod = [](const std::filesystem::path& path, mode_t mode) {
    BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
  };
  chmod(file, 0644);
  chmod(drop_in, 0600);
  chmod(drop_ins, 0755);
  BOOST_TEST(check(arguments).errors == "");
  const auto warned = [&](const std::filesystem::path& path, std::string_view who) {
    const auto outcome = check(arguments);
    BOOST_TEST(outcome.code == 0);
    BOOST_TEST(outcome.output.ends_with(" is in order\n"));
    return outcome.errors.starts_with("warning: " + path.native() + ": " + std::string(who) +
                                      " may write here");
  };
  for (const auto& path : {file, drop_in, drop_ins, place.path()}) {
    struct stat before {};
    BOOST_REQUIRE(::stat(path.c_str(), &before) == 0);
    chmod(path, before.st_mode | S_IWOTH);
    BOOST_TEST(warned(path, "everybody"), path);
    chmod(path, before.st_mode & 07777);
    if (test::is_root()) {
      BOOST_REQUIRE(::chown(path.c_str(), 12345, 0) == 0);
      BOOST_TEST(warned(path, "uid 12345"), path);
      BOOST_REQUIRE(::chown(path.c_str(), 0, 12345) == 0);
      chmod(path, before.st_mode | S_IWGRP);
      BOOST_TEST(warned(path, "group 12345"), path);
      // Nobody but root is in that one.
      BOOST_REQUIRE(::chown(path.c_str(), 0, 0) == 0);
      BOOST_TEST(check(arguments).errors == "");
    }
    chmod(path, before.st_mode & 07777);
  }
}

BOOST_AUTO_TEST_CASE(a_daemon_warns_of_its_configuration_at_start_and_reload) {
  ::umask(S_IWGRP | S_IWOTH);
  test::daemon daemon({.config = ""});
  BOOST_TEST(daemon.count("configuration=unsafe") == 0U);
  BOOST_REQUIRE(::chmod(daemon.config().c_str(), 0666) == 0);
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.logged("reload=done"));
  BOOST_TEST(daemon.logged("configuration=unsafe warning=\"" + daemon.config().native()));
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  daemon.start();
  BOOST_TEST(daemon.logged("configuration=unsafe", 2));
}

BOOST_AUTO_TEST_SUITE_END()
