// configuration: what administrators see of it, and that an ordinary user
// needs none.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <grp.h>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"

namespace {

test::outcome check(std::vector<std::string> arguments) {
  std::vector<std::string> argv{UPCASED_PROGRAM, "--check"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return test::run(argv);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(configuration)

BOOST_AUTO_TEST_CASE(all_errors_at_once) {
  const test::temporary_directory place;
  const std::string file = place.path() / "upcased.conf";
  test::write_file(place.path() / "plain", "");
  test::write_file(file,
                   "# a comment\n"
                   "idle-timeout = -5s\n"
                   "write-timeout = 99999999999999999999s\n"
                   "backlog = 0\n"
                   "allow-user = no-such-user\n"
                   "deny-group = no-such-group\n"
                   "socket = relative/path\n"
                   "socket-mode = 999\n"
                   "idle-timout = 3s\n"
                   "no equals sign\n"
                   "credentials = trust-me\n"
                   "max-clients = 999999999\n"
                   "client-directory = " +
                       (place.path() / "plain").native() +
                       "\n"
                       "threads = 2\n"
                       "threads = 3\n");
  const auto outcome = check({"--config", file});
  BOOST_TEST(outcome.code == 78);
  BOOST_TEST(outcome.output == "");
  const std::vector<std::string> expected{
      ":2: idle-timeout: '-5s': cannot be negative",
      ":3: write-timeout: '99999999999999999999s': longer than",
      ":4: backlog: '0': give a whole number from 1",
      ":5: allow-user: 'no-such-user': no such user",
      ":6: deny-group: 'no-such-group': no such group",
      ":7: socket: 'relative/path': give an absolute path",
      ":8: socket-mode: '999': give octal",
      ":9: idle-timout: '3s': no such setting; did you mean 'idle-timeout'?",
      ":10: 'no equals sign': a line is 'key = value'",
      ":11: credentials: 'trust-me': choose one of 'file', 'kernel'",
      ":12: max-clients: '999999999': only",
      ":13: client-directory: '" + (place.path() / "plain").native(),
      ":15: threads: '3': set twice in one file, first at " + file + ":14"};
  for (const std::string& problem : expected) {
    BOOST_TEST((outcome.errors.find(file + problem) != std::string::npos), problem);
  }
}

BOOST_AUTO_TEST_CASE(files_that_are_none) {
  const test::temporary_directory place;
  const auto directory = check({"--config", place.path()});
  BOOST_TEST(directory.code == 78);
  BOOST_TEST((directory.errors.find("Is a directory") != std::string::npos));
  const auto missing = check({"--config", place.path() / "missing"});
  BOOST_TEST(missing.code == 78);
  BOOST_TEST((missing.errors.find("No such file") != std::string::npos));
  const auto parent =
      check({"--config", "/dev/null", "--client-directory", place.path() / "no" / "parent",
             "--socket", place.path() / "no" / "s"});
  BOOST_TEST(parent.code == 78);
  BOOST_TEST((parent.errors.find("client-directory: ") != std::string::npos), parent.errors);
  BOOST_TEST((parent.errors.find("socket: ") != std::string::npos), parent.errors);
  const auto socket = check({"--config", "/dev/null", "--socket", place.path()});
  BOOST_TEST(socket.code == 78);
  BOOST_TEST((socket.errors.find("is a directory") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(command_line_beats_drop_ins_beat_file_beats_default) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  const auto drop_ins = place.path() / "upcased.conf.d";
  std::filesystem::create_directory(drop_ins);
  test::write_file(file, "backlog = 1\nthreads = 1\nidle-timeout = 1s\nallow-user = 41111\n");
  test::write_file(drop_ins / "20.conf", "threads = 3\nidle-timeout = 3s\nallow-user = 43333\n");
  test::write_file(drop_ins / "10.conf", "threads = 2\nallow-user =\nallow-user = 42222\n");
  test::write_file(drop_ins / "ignored.txt", "nonsense\n");
  const auto outcome =
      test::run({UPCASED_PROGRAM, "--config", file, "--idle-timeout", "4s", "--print-config"});
  BOOST_TEST(outcome.code == 0);
  for (const std::string line :
       {"backlog = 1\n", "threads = 3\n", "idle-timeout = 4s\n", "write-timeout = 30s\n"}) {
    BOOST_TEST((outcome.output.find(line) != std::string::npos), line);
  }
  BOOST_TEST(
      (outcome.output.find("allow-user = 42222\nallow-user = 43333\n") != std::string::npos));
  BOOST_TEST((outcome.output.find("allow-user = 41111") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(what_it_prints_parses_back_to_itself) {
  const test::temporary_directory place;
  const auto first = test::run({UPCASED_PROGRAM, "--config", "/dev/null", "--socket",
                                place.path() / "s", "--allow-user", "root", "--deny-group", "4242",
                                "--idle-timeout", "90s", "--client-mode", "any", "-T"});
  BOOST_TEST(first.code == 0);
  test::write_file(place.path() / "again", first.output);
  const auto second = test::run({UPCASED_PROGRAM, "--config", place.path() / "again", "-T"});
  BOOST_TEST(second.output == first.output);
  BOOST_TEST(check({"--config", place.path() / "again"}).code == 0);
}

BOOST_AUTO_TEST_CASE(usage) {
  const auto help = test::run({UPCASED_PROGRAM, "--help"});
  BOOST_TEST(help.code == 0);
  std::istringstream lines(help.output);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    BOOST_TEST(line.size() <= 100U, line);
  }
  BOOST_TEST(count <= 32U);
  BOOST_TEST(test::run({UPCASED_PROGRAM, "--version"}).output.starts_with("upcased "));
  BOOST_TEST(test::run({UPCASED_PROGRAM, "--nonsense"}).code == 64);
  BOOST_TEST(test::run({UPCASED_PROGRAM, "--idle", "3s"}).code == 64);
  BOOST_TEST(test::run({UPCASED_PROGRAM, "stray"}).code == 64);
}

BOOST_AUTO_TEST_CASE(an_ordinary_user_needs_none) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  constexpr uid_t user = 12345;
  const test::temporary_directory place;
  BOOST_REQUIRE(::chown(place.path().c_str(), user, user) == 0);
  const auto become = [] { return ::setgid(user) == 0 && ::setuid(user) == 0; };
  const std::vector<std::string> environment{"XDG_RUNTIME_DIR=" + place.path().native(),
                                             "RUNTIME_DIRECTORY", "UPCASED_SOCKET"};
  const test::process daemon({.argv = {UPCASED_PROGRAM},
                              .environment = environment,
                              .errors = place.path() / "log",
                              .before_exec = become});
  BOOST_REQUIRE(test::eventually([&] {
    return test::read_file(place.path() / "log").find("state=serving") != std::string::npos;
  }));
  test::process client({.argv = {UPCASE_PROGRAM, "hello"},
                        .environment = environment,
                        .output = place.path() / "out",
                        .before_exec = become});
  BOOST_TEST(client.wait().value_or(-1) == 0);
  BOOST_TEST(test::read_file(place.path() / "out") == "HELLO\n");
}

BOOST_AUTO_TEST_CASE(a_supplementary_group_lets_in) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  constexpr gid_t group = 41234;
  const test::daemon daemon({.arguments = {"--allow-group", std::to_string(group)}});
  const auto code_as = [&](std::vector<gid_t> groups) {
    test::process client({.argv = {UPCASE_PROGRAM, "--socket", daemon.socket(), "x"},
                          .before_exec = [groups = std::move(groups)] {
                            return ::setgroups(groups.size(), groups.data()) == 0 &&
                                   ::setgid(12345) == 0 && ::setuid(12345) == 0;
                          }});
    return client.wait().value_or(-1);
  };
  BOOST_TEST(code_as({45678, group}) == 0);
  BOOST_TEST(code_as({45678}) == 77);
  BOOST_TEST(daemon.logged("verdict=denied"));
}

BOOST_AUTO_TEST_CASE(a_file_that_may_not_be_read) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const test::temporary_directory place;
  const auto file = place.path() / "secret.conf";
  test::write_file(file, "");
  BOOST_REQUIRE(::chmod(file.c_str(), 0600) == 0);
  const auto errors = place.path() / "err";
  test::process checker(
      {.argv = {UPCASED_PROGRAM, "--check", "--config", file}, .errors = errors, .before_exec = [] {
         return ::setgid(12345) == 0 && ::setuid(12345) == 0;
       }});
  BOOST_TEST(checker.wait().value_or(-1) == 78);
  BOOST_TEST(test::read_file(errors) ==
             file.native() +
                 ": cannot read the configuration file: Permission denied\n"
                 "upcased: this is wrong with the configuration of a daemon started by hand as uid "
                 "12345\n");
}

BOOST_AUTO_TEST_CASE(a_directory_that_may_not_be_written) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const test::temporary_directory place;
  const auto errors = place.path() / "err";
  test::process checker(
      {.argv = {UPCASED_PROGRAM, "--check", "--config", "/dev/null", "--socket", place.path() / "s",
                "--client-directory", place.path() / "c"},
       .errors = errors,
       .before_exec = [] { return ::setgid(12345) == 0 && ::setuid(12345) == 0; }});
  BOOST_TEST(checker.wait().value_or(-1) == 78);
  const std::string said = test::read_file(errors);
  BOOST_TEST((said.find("socket: ") != std::string::npos), said);
  BOOST_TEST((said.find("client-directory: ") != std::string::npos), said);
}

BOOST_AUTO_TEST_CASE(max_clients_leaves_room_for_threads_and_directories) {
  const test::temporary_directory place;
  const auto printed = place.path() / "out";
  test::process printer(
      {.argv = {UPCASED_PROGRAM, "--config", "/dev/null", "--threads", "12", "-T"},
       .output = printed,
       .before_exec = [] {
         const rlimit low{.rlim_cur = 100, .rlim_max = 100};
         return ::setrlimit(RLIMIT_NOFILE, &low) == 0;
       }});
  BOOST_TEST(printer.wait().value_or(-1) == 0);
  BOOST_TEST(test::read_file(printed).find("max-clients = 35\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(standard_streams_that_take_nothing) {
  const auto with = [](const std::string& arguments) {
    return test::run({"sh", "-c", std::string(UPCASED_PROGRAM) + " " + arguments}).code;
  };
  BOOST_TEST(with("--bad 2>/dev/full") == 64);
  BOOST_TEST(with("--bad 2>&-") == 64);
  BOOST_TEST(with("--config /dev/null -T >/dev/full") == 74);
  BOOST_TEST(with("--help >&-") == 74);
}

BOOST_AUTO_TEST_CASE(what_is_fixed_at_start_is_told) {
  test::daemon daemon({.config = "backlog = 7\n"});
  test::write_file(daemon.config(), "backlog = 8\nidle-timeout = 1h\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.logged("reload=partial needs-restart=backlog"));
  BOOST_TEST(daemon.logged("reload=done"));
  BOOST_TEST(daemon.reload());  // it is still the old one that counts
  BOOST_TEST(daemon.count("needs-restart=backlog") == 2U);
}

BOOST_AUTO_TEST_CASE(the_log_level_at_start_and_at_a_reload) {
  test::daemon daemon({.config = "log-level = info\n"});
  BOOST_TEST(test::served(daemon.connect().get()));
  BOOST_TEST(daemon.logged("allow client=1 "));
  // The end of the reload is below the new level; what needs a restart is told just
  // before the level changes.
  test::write_file(daemon.config(), "log-level = warning\nbacklog = 7\n");
  daemon.signal(SIGHUP);
  BOOST_REQUIRE(daemon.logged("needs-restart=backlog"));
  BOOST_TEST(test::served(daemon.connect().get()));
  BOOST_TEST(daemon.count("allow client=") == 1U);
  const test::temporary_directory place;
  test::process quiet(
      {.argv = {UPCASED_PROGRAM, "--config", "/dev/null", "--log-level", "error", "--socket",
                place.path() / "s", "--client-directory", place.path() / "c"},
       .errors = place.path() / "log"});
  BOOST_TEST(test::eventually([&] { return std::filesystem::exists(place.path() / "s"); }));
  quiet.signal(SIGTERM);
  BOOST_TEST(quiet.wait().value_or(-1) == 0);
  BOOST_TEST(test::read_file(place.path() / "log") == "");
}

BOOST_AUTO_TEST_CASE(the_soft_limit_of_descriptors_is_raised) {
  const test::daemon daemon({.before_exec = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 48;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
  }});
  std::vector<upcase::file_descriptor> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(daemon.connect());
    BOOST_REQUIRE(test::served(clients.back().get()));
  }
}

BOOST_AUTO_TEST_CASE(an_allowed_user_and_no_other) {
  test::daemon daemon({.config = "allow-user = " + std::to_string(::geteuid()) + '\n'});
  BOOST_TEST(test::served(daemon.connect().get()));
  test::write_file(daemon.config(), "allow-user = 54321\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(test::refused(daemon.connect().get()));
}

BOOST_AUTO_TEST_SUITE_END()
