// client_directory_elsewhere: not beside the socket: how upcase learns of it, and
// what is said where the daemon cannot remove clients' files from it.

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/published_directory.hpp>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"

namespace {

// With `directory` as its client directory.
std::string configuration(const std::filesystem::path& directory) {
  return "client-directory = " + directory.native() + '\n';
}

// A plain upcase, that is told of the socket and of nothing else.
int ask(const test::daemon& daemon, const std::vector<std::string>& environment = {}) {
  return test::run({UPCASE_PROGRAM, "--socket", daemon.socket(), "hello"}, "", environment).code;
}

bool is_published(const test::daemon& daemon) {
  return std::filesystem::is_symlink(upcase::published_name(daemon.socket()));
}

bool mount_read_only(const char* path) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount(path, path, nullptr, MS_BIND, nullptr) == 0 &&
         ::mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_directory_elsewhere)

BOOST_AUTO_TEST_CASE(upcase_learns_it_from_the_daemon) {
  const test::temporary_directory place;
  test::daemon daemon({.bare = true, .config = configuration(place.path() / "one")});
  BOOST_TEST(ask(daemon) == 0);
  BOOST_TEST(ask(daemon, {"UPCASED_CLIENT_DIRECTORY=/nonexistent"}) == 71);
  test::write_file(daemon.config(), configuration(place.path() / "two"));
  BOOST_TEST(daemon.reload());
  BOOST_TEST(ask(daemon) == 0);
  test::write_file(daemon.config(), "");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(!is_published(daemon));
  BOOST_TEST(ask(daemon) == 0);
}

BOOST_AUTO_TEST_CASE(a_stop_withdraws_it_and_a_start_after_a_crash_renews_it) {
  const test::temporary_directory place;
  test::daemon daemon({.bare = true, .config = configuration(place.path() / "one")});
  BOOST_TEST(is_published(daemon));
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  BOOST_TEST(!is_published(daemon));
  daemon.start();
  daemon.kill();
  BOOST_TEST(is_published(daemon));
  test::write_file(daemon.config(), configuration(place.path() / "two"));
  daemon.start();
  BOOST_TEST(ask(daemon) == 0);
}

BOOST_AUTO_TEST_CASE(that_it_cannot_be_published_is_told) {
  const test::temporary_directory place;
  test::daemon daemon({.bare = true, .config = ""});
  std::filesystem::create_directory(upcase::published_name(daemon.socket()));
  test::write_file(daemon.config(), configuration(place.path() / "one"));
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.logged("client-directory=unpublished"));
}

BOOST_AUTO_TEST_CASE(files_that_a_sandbox_keeps_are_warned_of_once) {
  SKIP_UNLESS(test::is_root(), "needs root to mount");
  const test::temporary_directory place;
  const std::string directory = place.path() / "one";
  std::filesystem::create_directory(directory);
  std::filesystem::permissions(directory, std::filesystem::perms(01733));
  const test::daemon daemon(
      {.bare = true, .config = configuration(directory), .before_exec = [&directory] {
         return mount_read_only(directory.c_str());
       }});
  BOOST_TEST(ask(daemon) == 0);
  BOOST_TEST(ask(daemon) == 0);
  BOOST_TEST(daemon.count("client-files=kept") == 1U);
  BOOST_TEST(daemon.count("'ReadWritePaths=" + directory + "'") == 1U);
  const auto errors = place.path() / "err";
  test::process check({.argv = {UPCASED_PROGRAM, "--check", "--config", daemon.config()},
                       .errors = errors,
                       .before_exec = [&directory] { return mount_read_only(directory.c_str()); }});
  BOOST_TEST(check.wait().value_or(-1) == 0);
  const std::string said = test::read_file(errors);
  BOOST_TEST(said.starts_with("warning: client-directory: '" + directory + "' is read-only"), said);
}

BOOST_AUTO_TEST_CASE(files_that_belong_to_others_are_warned_of_where_they_stay) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const test::temporary_directory place;
  const auto directory = place.path() / "one";
  std::filesystem::create_directory(directory);
  std::filesystem::permissions(directory, std::filesystem::perms(01777));
  const auto errors = place.path() / "err";
  const auto check = [&] {
    std::filesystem::remove(errors);
    test::process checker({.argv = {UPCASED_PROGRAM, "--check", "--config", "/dev/null", "--socket",
                                    "/tmp/no-such-socket", "--client-directory", directory},
                           .errors = errors,
                           .before_exec = [] { return ::setuid(12345) == 0; }});
    BOOST_TEST(checker.wait().value_or(-1) == 0);
    return test::read_file(errors);
  };
  const std::string said = check();
  BOOST_TEST(said.find("other users' files in '" + directory.native()) != std::string::npos, said);
  BOOST_REQUIRE(::chown(directory.c_str(), 12345, 0) == 0);
  BOOST_TEST(check() == "");
}

BOOST_AUTO_TEST_SUITE_END()
