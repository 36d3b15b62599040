// administration: for which daemon --check and --print-config answer, what a second
// daemon beside a service is told, and whose configuration a user's daemon reads.
// systemd is a script here; test/system has the real one.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "support/client.hpp"
#include "support/fake_systemctl.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temporary_directory.hpp"

namespace {

using texts = std::vector<std::string>;

constexpr uid_t somebody = 12345;

bool become_somebody() {
  return ::geteuid() != 0 || (::setgid(somebody) == 0 && ::setuid(somebody) == 0);
}

bool names(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Of a unit of this user's, or of another's, whose command line ends so.
std::string properties(const std::string& arguments, const std::string& user = "") {
  return "Id=upcased.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
         "MainPID=123\nUser=" +
         (user.empty() ? std::to_string(::geteuid()) : user) +
         "\nExecStart={ path=/usr/sbin/upcased ; argv[]=/usr/sbin/upcased " + arguments +
         " ; ignore_errors=no ; pid=0 }\nRuntimeDirectory=upcased\nLimitNOFILE=2000\n"
         "ProtectSystem=strict\nPrivateTmp=yes\nReadWritePaths=-/srv +/opt/upcased\n";
}

const std::string no_unit = "Id=upcased.service\nLoadState=not-found\n";

test::outcome upcased(const test::fake_systemctl& systemd, texts arguments,
                      const std::string& more = "RUNTIME_DIRECTORY") {
  arguments.insert(arguments.begin(), UPCASED_PROGRAM);
  return test::run(std::move(arguments), "", {systemd.environment(), more});
}

// What a program says, without failing, to a user who is not root.
std::string as_somebody(const texts& argv, const texts& environment) {
  const test::temporary_directory place;
  const auto said = place.path() / "said";
  test::write_file(said, "");
  std::filesystem::permissions(said, std::filesystem::perms::all);
  test::process program({.argv = argv,
                         .environment = environment,
                         .output = said,
                         .errors = said,
                         .before_exec = become_somebody});
  BOOST_TEST(program.wait().value_or(-1) == 0);
  return test::read_file(said);
}

std::string by_hand() { return "a daemon started by hand as uid " + std::to_string(::geteuid()); }

}  // namespace

BOOST_AUTO_TEST_SUITE(administration)

BOOST_AUTO_TEST_CASE(they_answer_for_the_unit_in_use) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  test::write_file(file, "idle-timeout = 7s\n");
  const test::fake_systemctl systemd(properties("--config " + file.native() + " --threads 2"));
  const auto checked = upcased(systemd, {"--check"});
  BOOST_TEST(checked.code == 0);
  BOOST_TEST(checked.output ==
             "upcased: the configuration of upcased.service (running, pid 123) is in order\n");
  const auto printed = upcased(systemd, {"--print-config"});
  BOOST_TEST(printed.output.starts_with("# Of upcased.service (running, pid 123)\n"));
  for (const std::string line : {"socket = /run/upcased/upcased.sock\n", "threads = 2\n",
                                 "idle-timeout = 7s\n", "max-clients = 1965\n"}) {
    BOOST_TEST(names(printed.output, line), line + "\nin\n" + printed.output);
  }
  // The limit is the unit's, whatever this process may open.
  test::write_file(file, "max-clients = 1966\n");
  const auto wrong = upcased(systemd, {"--check"});
  BOOST_TEST(wrong.code == 78);
  BOOST_TEST(names(wrong.errors, "only 1965 fit in the hard limit of 2000 open files"));
  BOOST_TEST(wrong.errors.ends_with("\nupcased: this is wrong with the configuration of "
                                    "upcased.service (running, pid 123)\n"),
             wrong.errors);
}

BOOST_AUTO_TEST_CASE(a_unit_can_be_named) {
  const test::fake_systemctl systemd(properties("--config /dev/null --no-such-option"));
  const auto wrong = upcased(systemd, {"--check", "--unit", "upcased.service"});
  BOOST_TEST(wrong.code == 78);
  BOOST_TEST(names(wrong.errors, "ExecStart= of upcased.service: "), wrong.errors);
  const test::fake_systemctl other(properties("--config /dev/null"));
  const auto printed = upcased(other, {"-T", "-u", "upcased", "--idle-timeout", "8s"});
  BOOST_TEST(names(printed.output, "# Of upcased.service"));
  BOOST_TEST(names(printed.output, "idle-timeout = 8s\n"), "what is asked comes on top");
  const test::temporary_directory place;
  test::write_file(place.path() / "tried.conf", "idle-timeout = 9s\n");
  BOOST_TEST(
      names(upcased(other, {"-T", "-u", "upcased", "-c", place.path() / "tried.conf"}).output,
            "idle-timeout = 9s\n"));
  const test::fake_systemctl none(no_unit);
  const auto unknown = upcased(none, {"--check", "--unit", "upcased@no"});
  BOOST_TEST(unknown.code == 64);
  BOOST_TEST(names(unknown.errors, "systemd knows no service 'upcased@no'"), unknown.errors);
  BOOST_TEST(upcased(other, {"--unit", "upcased"}).code == 64);
}

BOOST_AUTO_TEST_CASE(in_a_unit_nobody_else_is_asked) {
  const test::temporary_directory place;
  const test::fake_systemctl systemd(properties("--config /dev/null"));
  const auto checked = upcased(systemd, {"--check"}, "RUNTIME_DIRECTORY=" + place.path().native());
  BOOST_TEST(checked.output == "upcased: the configuration is in order\n");
  const auto wrong =
      upcased(systemd, {"--check", "--threads", "0"}, "RUNTIME_DIRECTORY=" + place.path().native());
  BOOST_TEST(wrong.code == 78);
  BOOST_TEST(test::occurrences(wrong.errors, "\n") == 1U, wrong.errors);
  BOOST_TEST(!systemd.asked());
}

BOOST_AUTO_TEST_CASE(without_a_unit_they_answer_for_who_asks) {
  const std::string in_order = "upcased: the configuration of " + by_hand() + " is in order\n";
  const test::fake_systemctl none(no_unit);
  BOOST_TEST(upcased(none, {"--check"}).output == in_order);
  BOOST_TEST(none.asked());
  // As where no systemd runs, and where one does not answer.
  BOOST_TEST(upcased(test::fake_systemctl("", "exit 1"), {"--check"}).output == in_order);
  BOOST_TEST(upcased(test::fake_systemctl("", "exec sleep 60"), {"--check"}).output == in_order);
  // Half an answer is none: the user would be missing, or the limits.
  BOOST_TEST(upcased(test::fake_systemctl("Id=upcased.service\nLoadState=loaded\nUser=\n",
                                          "exec sleep 60"),
                     {"--check"})
                 .output == in_order);
  BOOST_TEST(
      upcased(test::fake_systemctl("Id=upcased.service\nLoadState=loaded\n"), {"--check"}).output ==
      in_order);
  // Options say which daemon is meant.
  const test::fake_systemctl systemd(properties("--config /dev/null"));
  BOOST_TEST(upcased(systemd, {"--check", "--config", "/dev/null"}).output == in_order);
  BOOST_TEST(!systemd.asked());
}

BOOST_AUTO_TEST_CASE(root_sees_what_the_units_user_sees) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  test::write_file(file, "");
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  const test::fake_systemctl systemd(properties("--config " + file.native(), "nobody"));
  const auto checked = upcased(systemd, {"--check"});
  BOOST_TEST(checked.code == 78);
  BOOST_TEST(names(checked.errors, "Permission denied"), checked.errors);
  const test::fake_systemctl unknown(properties("--config /dev/null", "no-such-user"));
  const auto refused = upcased(unknown, {"--check"});
  BOOST_TEST(refused.code == 71);
  BOOST_TEST(names(refused.errors, "User=no-such-user of upcased.service"), refused.errors);
  const test::fake_systemctl nameless(properties("--config /dev/null", "12345"));
  BOOST_TEST(names(upcased(nameless, {"--check"}).errors, "cannot look as uid 12345 does"));
}

BOOST_AUTO_TEST_CASE(others_see_less_of_the_systems_daemon_and_are_told) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const test::fake_systemctl systemd(properties("--config /dev/null", "root"));
  const std::string said =
      as_somebody({UPCASED_PROGRAM, "--check", "-u", "upcased", "--client-directory", "/usr/none",
                   "--client-directory", "/srv"},
                  {systemd.environment(), "RUNTIME_DIRECTORY"});
  BOOST_TEST(said ==
             "upcased: the configuration of upcased.service (running, pid 123) (as far as uid "
             "12345 can see) is in order\n");
}

BOOST_AUTO_TEST_CASE(what_the_sandbox_forbids_is_warned_of) {
  const test::fake_systemctl systemd(properties("--config /dev/null"));
  const auto warning = [&](const std::string& directory) {
    return upcased(systemd, {"--check", "-u", "upcased", "--client-directory", directory}).errors;
  };
  BOOST_TEST(
      names(warning("/usr"), "'systemctl edit upcased' with '[Service]' and 'ReadWritePaths=/usr'"),
      warning("/usr"));
  BOOST_TEST(names(warning("/tmp"), "'PrivateTmp=no'"), warning("/tmp"));
  BOOST_TEST(!names(warning("/srv"), "ReadWritePaths"), warning("/srv"));
}

BOOST_AUTO_TEST_CASE(a_hand_over_checks_its_own_daemon) {
  const test::temporary_directory place;
  const test::fake_systemctl systemd(properties("--config /nonexistent"));
  if (test::is_root()) {
    BOOST_REQUIRE(::chown(place.path().c_str(), somebody, somebody) == 0);
  }
  const auto log = place.path() / "log";
  const test::process daemon(
      {.argv = {UPCASED_PROGRAM},
       .environment = {systemd.environment(), "RUNTIME_DIRECTORY",
                       "XDG_RUNTIME_DIR=" + place.path().native(), "HOME=/nonexistent"},
       .errors = log,
       .before_exec = become_somebody});
  const auto served = [&log] { return test::occurrences(test::read_file(log), "state=serving"); };
  BOOST_REQUIRE(test::eventually([&] { return served() == 1; }));
  daemon.signal(SIGUSR2);
  BOOST_TEST(test::eventually([&] { return served() == 2; }), test::read_file(log));
  BOOST_TEST(!systemd.asked());
}

BOOST_AUTO_TEST_CASE(beside_a_service_a_second_daemon_is_told_which) {
  SKIP_UNLESS(test::is_root(), "needs root to make a directory in /run");
  const std::string name = "test-" + std::to_string(::getpid());
  const std::filesystem::path directory = "/run/upcased-" + name;
  std::filesystem::create_directories(directory);
  BOOST_REQUIRE(::chown(directory.c_str(), somebody, somebody) == 0);
  const auto socket = test::make_socket();
  test::bind_to(socket.get(), directory / "upcased.sock");
  BOOST_REQUIRE(::listen(socket.get(), 1) == 0);
  const auto second = [&](const std::string& answer) {
    return upcased(test::fake_systemctl(answer), {"--config", "/dev/null"},
                   "RUNTIME_DIRECTORY=" + directory.native());
  };
  const auto running = second(properties(""));
  BOOST_TEST(running.code == 69);
  BOOST_TEST(names(running.errors, "already served by the service upcased@" + name +
                                       " (pid 123); 'systemctl status upcased@" + name +
                                       ".socket upcased@" + name + ".service' shows it"),
             running.errors);
  const auto waiting = second("Id=upcased.service\nLoadState=loaded\nActiveState=active\nUser=\n");
  BOOST_TEST(waiting.code == 69);
  BOOST_TEST(names(waiting.errors, "(it starts when a client connects)"), waiting.errors);
  const auto unknown = second(no_unit);
  BOOST_TEST(unknown.code == 69);
  BOOST_TEST(names(unknown.errors, "already running: another daemon serves"), unknown.errors);
  // With nobody there, it is another user's directory, and that user's service's.
  std::filesystem::remove(directory / "upcased.sock");
  const auto stopped = second(no_unit);
  std::filesystem::remove_all(directory);
  BOOST_TEST(stopped.code == 71);
  BOOST_TEST(names(stopped.errors, "'systemctl start upcased@" + name + ".socket'"),
             stopped.errors);
  BOOST_TEST(!names(stopped.errors, "remove"), stopped.errors);
}

BOOST_AUTO_TEST_CASE(a_users_daemon_reads_the_users_configuration) {
  const test::temporary_directory home;
  const auto file = home.path() / ".config" / "upcased" / "upcased.conf";
  const auto drop_in = home.path() / ".config" / "upcased" / "upcased.conf.d" / "mine.conf";
  std::filesystem::create_directories(drop_in.parent_path());
  test::write_file(file, "backlog = 77\n");
  test::write_file(drop_in, "idle-timeout = 77s\n");
  const auto own = [](const std::filesystem::path& path) {
    BOOST_REQUIRE(!test::is_root() || ::chown(path.c_str(), somebody, somebody) == 0);
  };
  for (const auto& each : std::filesystem::recursive_directory_iterator(home.path())) {
    own(each.path());
  }
  own(home.path());
  const auto run = [&](const std::string& option, const texts& environment) {
    texts all{"XDG_CONFIG_HOME", "RUNTIME_DIRECTORY=/tmp/no-such-directory"};
    all.insert(all.end(), environment.begin(), environment.end());
    return as_somebody({UPCASED_PROGRAM, option}, all);
  };
  const texts at_home{"HOME=" + home.path().native()};
  const std::string settings = run("-T", at_home);
  BOOST_TEST(names(settings, "backlog = 77\n"));
  BOOST_TEST(names(settings, "idle-timeout = 77s\n"));
  BOOST_TEST(names(run("-T", {"HOME=/", "XDG_CONFIG_HOME=" + (home.path() / ".config").native()}),
                   "backlog = 77\n"));
  BOOST_TEST(!names(run("-T", {"HOME=relative"}), "backlog = 77\n"));
  // A service of the system's, whoever runs it and wherever its directory is.
  for (const std::string directory : {"/run/no-such-directory", "/run/no-such/directory"}) {
    const std::string of_service = run("-T", {at_home[0], "RUNTIME_DIRECTORY=" + directory});
    BOOST_TEST(names(of_service, "socket = " + directory + "/upcased.sock\n"));
    BOOST_TEST(!names(of_service, "backlog = 77\n"));
  }
  BOOST_TEST(
      !names(run("-T", {at_home[0], "INVOCATION_ID=1", "XDG_RUNTIME_DIR"}), "backlog = 77\n"));
  // One of the user's own.
  BOOST_TEST(names(run("-T", {at_home[0], "RUNTIME_DIRECTORY=/run/user/12345/upcased",
                              "INVOCATION_ID=1", "XDG_RUNTIME_DIR=/run/user/12345"}),
                   "backlog = 77\n"));
  // It is trusted as the system's is, with this user in the daemon's place.
  BOOST_TEST(run("--check", at_home) == "upcased: the configuration is in order\n");
  std::filesystem::permissions(file, std::filesystem::perms(0666));
  BOOST_TEST(names(run("--check", at_home), "warning: " + file.native() + ": everybody may write"));
  if (test::is_root()) {
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    BOOST_REQUIRE(::chown(file.c_str(), somebody + 1, somebody) == 0);
    BOOST_TEST(names(run("--check", at_home), file.native() + ": uid 12346 may write"));
    // As after setpriv(1): the home is another's.
    BOOST_REQUIRE(::chown(home.path().c_str(), somebody + 1, somebody) == 0);
    BOOST_TEST(!names(run("-T", at_home), "backlog = 77\n"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
