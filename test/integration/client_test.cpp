// client: upcase as people use it, its exit codes and what it says; and other
// people's clients.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/pseudo_terminal.hpp"
#include "support/skip.hpp"

namespace {

test::outcome upcase_at(const test::daemon& daemon, std::vector<std::string> arguments,
                        std::string_view input = "") {
  std::vector<std::string> argv{UPCASE_PROGRAM, "--socket", daemon.socket()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return test::run(argv, input);
}

bool says(const test::outcome& outcome, std::string_view text) {
  return outcome.errors.find(text) != std::string::npos;
}

// `command` of the shell piped to upcase with these options: its outcome, as
// soon as it ends, whatever becomes of the command.
test::outcome pipe_to_upcase(const test::daemon& daemon, const std::string& command,
                             const std::string& options = "") {
  const auto pipe = daemon.directory() / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const test::process writer(
      {.argv = {"sh", "-c", "exec >'" + pipe.native() + "'; exec sh -c '" + command + "'"}});
  return test::run({"sh", "-c",
                    std::string("exec ") + UPCASE_PROGRAM + " --socket '" +
                        daemon.socket().native() + "' " + options + " <'" + pipe.native() + "'"});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client)

BOOST_AUTO_TEST_CASE(text_and_streams) {
  const test::daemon daemon;
  const auto text = upcase_at(daemon, {"hello,", "world"});
  BOOST_TEST(text.output == "HELLO, WORLD\n");
  BOOST_TEST(text.code == 0);
  const std::string bytes = test::random_bytes(std::size_t{8} << 20U);
  const auto stream = upcase_at(daemon, {"--progress"}, bytes);
  BOOST_TEST((stream.output == test::reference_uppercase(bytes)));
  BOOST_TEST(stream.errors == "");  // no terminal, no bar
  const auto nothing = upcase_at(daemon, {});
  BOOST_TEST(nothing.code == 0);
  BOOST_TEST(nothing.output == "");
  BOOST_TEST(std::filesystem::is_empty(daemon.clients()));
}

BOOST_AUTO_TEST_CASE(no_daemon) {
  const auto outcome = test::run({UPCASE_PROGRAM, "--socket", "/nonexistent/upcased.sock", "x"});
  BOOST_TEST(outcome.code == 69);
  BOOST_TEST(says(outcome, "/nonexistent/upcased.sock"));
  BOOST_TEST(says(outcome, "'upcased --socket /nonexistent/upcased.sock'"));
}

BOOST_AUTO_TEST_CASE(a_directory_that_others_may_write_in_is_no_users_own) {
  const test::temporary_directory place;
  const auto own = place.path() / "upcased";
  std::filesystem::create_directory(own);
  test::bind_to(test::make_socket().get(), own / "upcased.sock");
  const auto said = [&](mode_t mode) {
    BOOST_REQUIRE(::chmod(own.c_str(), mode) == 0);
    const auto errors = place.path() / "err";
    std::filesystem::remove(errors);
    test::process client(
        {.argv = {UPCASE_PROGRAM, "x"},
         .environment = {"XDG_RUNTIME_DIR=" + place.path().native(), "UPCASED_SOCKET"},
         .errors = errors,
         .before_exec = [] { return ::geteuid() != 0 || ::setuid(12345) == 0; }});
    client.wait();
    return test::read_file(errors);
  };
  const auto names_it = [&](const std::string& text) {
    return text.find(own.native()) != std::string::npos;
  };
  const std::string trusted = said(0755);
  BOOST_TEST(names_it(trusted), trusted);
  const std::string distrusted = said(0777);
  BOOST_TEST(!names_it(distrusted), distrusted);
}

BOOST_AUTO_TEST_CASE(refused) {
  const test::daemon daemon({.arguments = {"--deny-user", std::to_string(::geteuid())}});
  const auto outcome = upcase_at(daemon, {"x"});
  BOOST_TEST(outcome.code == 77);
  BOOST_TEST(says(outcome, "uid " + std::to_string(::geteuid())));
  BOOST_TEST(says(outcome, "process " + std::to_string(daemon.pid()) + " (upcased)"));
  BOOST_TEST(daemon.logged("verdict=denied"));
  BOOST_TEST(std::filesystem::is_empty(daemon.clients()));
}

BOOST_AUTO_TEST_CASE(refused_with_nothing_to_send) {
  const test::daemon daemon({.arguments = {"--deny-user", std::to_string(::geteuid())}});
  BOOST_TEST(upcase_at(daemon, {}).code == 77);
}

BOOST_AUTO_TEST_CASE(who_was_in_was_not_refused) {
  test::daemon daemon({.arguments = {"--idle-timeout", "100ms"}});
  const auto idle = pipe_to_upcase(daemon, "exec sleep 60");
  BOOST_TEST(idle.code == 74);
  BOOST_TEST(says(idle, "ended the connection"));
  BOOST_TEST(daemon.logged("reason=idle-timeout"));
  BOOST_TEST(daemon.count("deny ") == 0U);
}

BOOST_AUTO_TEST_CASE(not_permitted_to_connect) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const test::daemon daemon({.arguments = {"--socket-mode", "0600"}});
  struct stat status {};
  BOOST_REQUIRE(::stat(daemon.socket().c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & ACCESSPERMS) == 0600U);
  const auto errors = daemon.directory() / "err";
  test::write_file(errors, "");
  std::filesystem::permissions(errors, std::filesystem::perms::all);
  test::process client(
      {.argv = {UPCASE_PROGRAM, "--socket", daemon.socket(), "x"},
       .errors = errors,
       .before_exec = [] { return ::setgid(12345) == 0 && ::setuid(12345) == 0; }});
  BOOST_TEST(client.wait().value_or(-1) == 77);
  BOOST_TEST(test::read_file(errors).find("socket-mode") != std::string::npos);
  BOOST_TEST(std::filesystem::is_empty(daemon.clients()));
}

BOOST_AUTO_TEST_CASE(a_full_backlog_is_waited_for_no_longer_than_asked) {
  const test::daemon daemon({.arguments = {"--backlog", "1"}});
  daemon.signal(SIGSTOP);
  const auto first = daemon.connect();
  const auto second = daemon.connect();
  std::filesystem::remove_all(daemon.clients());
  std::filesystem::create_directory(daemon.clients());
  const auto outcome = upcase_at(daemon, {"--timeout", "200ms", "x"});
  daemon.signal(SIGCONT);
  BOOST_TEST(outcome.code == 75);
  BOOST_TEST(says(outcome, "took nobody in"));
  BOOST_TEST(std::filesystem::is_empty(daemon.clients()));
}

BOOST_AUTO_TEST_CASE(timeout_while_the_input_is_idle) {
  const test::daemon daemon;
  daemon.signal(SIGSTOP);
  const auto outcome = pipe_to_upcase(daemon, "echo x; exec sleep 60", "--timeout 200ms");
  daemon.signal(SIGCONT);
  BOOST_TEST(outcome.code == 75);
}

BOOST_AUTO_TEST_CASE(no_timeout_while_only_the_input_is_idle) {
  const test::daemon daemon;
  const auto outcome = pipe_to_upcase(daemon, "sleep 1; echo x", "--timeout 200ms");
  BOOST_TEST(outcome.code == 0);
  BOOST_TEST(outcome.output == "X\n");
}

BOOST_AUTO_TEST_CASE(closed_standard_streams) {
  const test::daemon daemon;
  const auto with = [&](const std::string& redirection) {
    return test::run({"sh", "-c",
                      std::string(UPCASE_PROGRAM) + " --socket '" + daemon.socket().native() +
                          "' " + redirection});
  };
  BOOST_TEST(with("<&-").code == 74);
  BOOST_TEST(with("x >&-").code == 74);
  BOOST_TEST(with("--help >/dev/full").code == 74);
  BOOST_TEST(with("x 2>&-").output == "X\n");
  BOOST_TEST(with("--client-directory /nonexistent x 2>/dev/full").code == 71);
}

BOOST_AUTO_TEST_CASE(progress_on_a_terminal) {
  const test::daemon daemon;
  const auto input = daemon.directory() / "in";
  test::write_file(input, test::random_bytes(std::size_t{3} << 20U));
  const auto screen_with = [&](const char* colour) {
    const test::pseudo_terminal terminal;
    test::process client({.argv = {UPCASE_PROGRAM, "--socket", daemon.socket(), "--progress"},
                          .environment = {colour},
                          .input = input,
                          .output = daemon.directory() / "out",
                          .errors = terminal.path()});
    BOOST_TEST(client.wait().value_or(-1) == 0);
    return terminal.read();
  };
  const std::string plain = screen_with("NO_COLOR=1");
  BOOST_TEST((plain.find("[##############################] 100%") != std::string::npos), plain);
  BOOST_TEST((plain.find("3.0 MiB") != std::string::npos), plain);
  BOOST_TEST((plain.find("/s") != std::string::npos), plain);
  BOOST_TEST((plain.find("ETA 0:00") != std::string::npos), plain);
  BOOST_TEST((plain.find("\x1b[32m") == std::string::npos), plain);
  BOOST_TEST((screen_with("NO_COLOR").find("\x1b[32m") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(timeout_and_server_user) {
  const test::daemon daemon;
  BOOST_TEST(upcase_at(daemon, {"--server-user", "54321", "x"}).code == 77);
  daemon.signal(SIGSTOP);
  const auto outcome = upcase_at(daemon, {"--timeout", "300ms", "x"});
  daemon.signal(SIGCONT);
  BOOST_TEST(outcome.code == 75);
  BOOST_TEST(says(outcome, "nothing moved for 300ms"));
}

BOOST_AUTO_TEST_CASE(no_place_for_its_file) {
  const test::daemon daemon;
  const auto outcome = upcase_at(daemon, {"--client-directory", "/nonexistent", "x"});
  BOOST_TEST(outcome.code == 71);
  BOOST_TEST(says(outcome, "'/nonexistent'"));
  BOOST_TEST(says(outcome, "--client-directory"));
}

BOOST_AUTO_TEST_CASE(output_that_cannot_be_written) {
  const test::daemon daemon;
  const auto errors = daemon.directory() / "err";
  test::process client({.argv = {UPCASE_PROGRAM, "--socket", daemon.socket(), "x"},
                        .output = "/dev/full",
                        .errors = errors});
  BOOST_TEST(client.wait().value_or(-1) == 74);
  BOOST_TEST(test::read_file(errors).find("No space left on device") != std::string::npos);
  BOOST_TEST(std::filesystem::is_empty(daemon.clients()));
}

BOOST_AUTO_TEST_CASE(usage) {
  BOOST_TEST(test::run({UPCASE_PROGRAM, "--no-such-option"}).code == 64);
  BOOST_TEST(test::run({UPCASE_PROGRAM, "--timeout", "soon", "x"}).code == 64);
  BOOST_TEST(test::run({UPCASE_PROGRAM, "--help"}).code == 0);
  BOOST_TEST(test::run({UPCASE_PROGRAM, "--version"}).output.starts_with("upcase "));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_dies_in_mid_stream) {
  test::daemon daemon;
  const auto out = daemon.directory() / "out";
  test::process client({.argv = {"sh", "-c",
                                 std::string("(echo one; sleep 60) | '") + UPCASE_PROGRAM +
                                     "' --socket '" + daemon.socket().native() + "'"},
                        .output = out,
                        .errors = daemon.directory() / "err"});
  BOOST_TEST(test::eventually([&] { return test::read_file(out) == "ONE\n"; }));
  daemon.kill();
  BOOST_TEST(test::eventually([&] {
    return test::read_file(daemon.directory() / "err").find("ended the connection") !=
           std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(socat_with_a_file_of_its_own) {
  const test::daemon daemon;
  SKIP_UNLESS(test::run({"socat", "-V"}).code == 0, "socat is not installed");
  const auto outcome = test::run({"socat", "-",
                                  "UNIX-CONNECT:" + daemon.socket().native() +
                                      ",bind=" + (daemon.clients() / "me").native() + ",mode=0700"},
                                 "from socat\n");
  BOOST_TEST(outcome.output == "FROM SOCAT\n");
}

BOOST_AUTO_TEST_CASE(plain_socat_where_the_kernel_vouches) {
  const test::daemon daemon({.arguments = {"--credentials", "kernel"}});
  SKIP_UNLESS(test::run({"socat", "-V"}).code == 0, "socat is not installed");
  const auto outcome =
      test::run({"socat", "-", "UNIX-CONNECT:" + daemon.socket().native()}, "plain\n");
  BOOST_TEST(outcome.output == "PLAIN\n");
}

BOOST_AUTO_TEST_CASE(the_books_lock_step_client) {
  const test::daemon daemon(
      {.arguments = {"--client-directory", "/var/tmp", "--client-mode", "any"}});
  const auto outcome = test::run({CLASSIC_CLIENT, daemon.socket()}, "line one\nline two\n");
  BOOST_TEST(outcome.code == 0);
  BOOST_TEST(outcome.output == "LINE ONE\nLINE TWO\n");
  // It never removes its file; the daemon does.
  const std::string log = daemon.log();
  const auto begin = log.find("path=/var/tmp/") + 5;
  BOOST_REQUIRE(begin > 5U);
  const std::string file = log.substr(begin, log.find('\n', begin) - begin);
  BOOST_TEST(test::eventually([&] { return !std::filesystem::exists(file); }));
}

BOOST_AUTO_TEST_SUITE_END()
