// listener and runtime_directory: the daemon's own files.

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <upcase/listener.hpp>
#include <upcase/runtime_directory.hpp>
#include <utility>

#include "support/client.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temporary_directory.hpp"

namespace {

// Called before the next flock(2) of this program: what others do at that moment.
std::function<void()> before_lock;

bool says_running(const upcase::listen_error& error) { return error.already_running; }

// The errors that ask for another path do not say that a daemon runs.
bool says_no_socket(const upcase::listen_error& error) {
  return !error.already_running &&
         std::string_view(error.what()).find("is not a socket") != std::string_view::npos;
}

}  // namespace

// In place of the C library's.
extern "C" int flock(int file, int operation) noexcept {
  if (const auto action = std::exchange(before_lock, nullptr)) {
    action();
  }
  return static_cast<int>(::syscall(SYS_flock, file, operation));
}

BOOST_AUTO_TEST_SUITE(listener)

BOOST_AUTO_TEST_CASE(the_mode_is_there_whatever_the_umask) {
  const test::temporary_directory place;
  const mode_t previous = ::umask(0077);
  const upcase::listener listener(place.path() / "s", 0660, 1);
  BOOST_TEST(::umask(previous) == 0077U);
  struct stat status {};
  BOOST_REQUIRE(::lstat((place.path() / "s").c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & ACCESSPERMS) == 0660U);
}

BOOST_AUTO_TEST_CASE(it_removes_its_own_file_and_no_other) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  { const upcase::listener listener(path, 0666, 1); }
  BOOST_TEST(std::filesystem::is_empty(place.path()));
  {
    const upcase::listener listener(path, 0666, 1);
    std::filesystem::remove(path);
    test::write_file(path, "somebody else's");
  }
  BOOST_TEST(test::read_file(path) == "somebody else's");
}

BOOST_AUTO_TEST_CASE(a_stale_socket_makes_way_a_living_one_does_not) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  {
    const auto left_behind = test::make_socket();
    test::bind_to(left_behind.get(), path);
  }
  const upcase::listener first(path, 0666, 1);
  try {
    const upcase::listener second(path, 0666, 1);
    BOOST_ERROR("two listeners");
  } catch (const upcase::listen_error& error) {
    BOOST_TEST(error.already_running);
  }
  BOOST_TEST(std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_daemon_without_our_lock_is_noticed_by_its_answer) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  const auto other = test::make_socket();
  test::bind_to(other.get(), path);
  BOOST_REQUIRE(::listen(other.get(), 0) == 0);
  BOOST_CHECK_EXCEPTION(upcase::listener(path, 0666, 1), upcase::listen_error, says_running);
  BOOST_TEST(std::filesystem::exists(path));
  BOOST_TEST(!std::filesystem::exists(path.native() + ".lock"));
  // That try is in its backlog now, which is full with it.
  BOOST_CHECK_EXCEPTION(upcase::listener(path, 0666, 1), upcase::listen_error, says_running);
}

BOOST_AUTO_TEST_CASE(while_somebody_holds_the_lock_a_daemon_is_running) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  const auto lock_path = path.native() + ".lock";
  const upcase::file_descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  BOOST_REQUIRE(::flock(lock.get(), LOCK_EX | LOCK_NB) == 0);
  BOOST_CHECK_EXCEPTION(upcase::listener(path, 0666, 1), upcase::listen_error, says_running);
  BOOST_TEST(!std::filesystem::exists(path));
  BOOST_TEST(std::filesystem::exists(lock_path));
}

BOOST_AUTO_TEST_CASE(a_lock_file_that_goes_before_it_is_locked_is_made_anew) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  const auto lock_path = path.native() + ".lock";
  // As a daemon does that ends between our open(2) and flock(2).
  before_lock = [&] { std::filesystem::remove(lock_path); };
  const upcase::listener listener(path, 0666, 1);
  struct stat held {};
  struct stat named {};
  BOOST_REQUIRE(::fstat(listener.lock(), &held) == 0);
  BOOST_REQUIRE(::stat(lock_path.c_str(), &named) == 0);
  BOOST_TEST(held.st_ino == named.st_ino);
}

BOOST_AUTO_TEST_CASE(what_is_no_socket_is_not_touched) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  test::write_file(path, "precious");
  BOOST_CHECK_EXCEPTION(upcase::listener(path, 0666, 1), upcase::listen_error, says_no_socket);
  BOOST_TEST(test::read_file(path) == "precious");
}

BOOST_AUTO_TEST_CASE(a_stale_socket_of_somebody_elses_is_no_running_daemon) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const test::temporary_directory place;
  std::filesystem::permissions(place.path(), std::filesystem::perms::all);
  const auto path = place.path() / "s";
  {
    const auto left_behind = test::make_socket();
    test::bind_to(left_behind.get(), path, 0600);
  }
  const auto as_user = test::run_as(12345, 12345, [&] {
    try {
      const upcase::listener listener(path, 0666, 1);
    } catch (const upcase::listen_error& error) {
      return error.already_running ? 1 : 0;
    }
    return 2;
  });
  BOOST_TEST(as_user.value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_successor_goes_on_with_socket_and_lock) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  upcase::listener first(path, 0600, 1);
  upcase::file_descriptor lock(::fcntl(first.lock(), F_DUPFD_CLOEXEC, 0));
  {
    upcase::listener second(first.take_socket(), std::move(lock), path);
    BOOST_TEST(second.renew(0660, 1).empty());
    struct stat status {};
    BOOST_REQUIRE(::lstat(path.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & ACCESSPERMS) == 0660U);
    BOOST_TEST(test::listens(path));
  }
  BOOST_TEST(std::filesystem::is_empty(place.path()));
}

BOOST_AUTO_TEST_CASE(a_successor_without_files_says_so_and_touches_no_others) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  upcase::listener first(path, 0666, 1);
  std::filesystem::remove(path);
  test::write_file(path, "somebody else's");
  {
    // No lock was left, and `first` still has it.
    upcase::listener second(first.take_socket(), {}, path);
    const auto undone = second.renew(0600, 1);
    BOOST_REQUIRE(undone.size() == 2U);
    BOOST_TEST(undone[0].find("already running") != std::string::npos);
    BOOST_TEST(undone[1].find("no socket stands at") != std::string::npos);
    BOOST_TEST(second.lock() == -1);
  }
  BOOST_TEST(test::read_file(path) == "somebody else's");
  BOOST_TEST(std::filesystem::exists(path.native() + ".lock"));
}

BOOST_AUTO_TEST_CASE(a_lock_that_is_another_file_is_none) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  upcase::listener first(path, 0666, 1);
  upcase::file_descriptor lock(::fcntl(first.lock(), F_DUPFD_CLOEXEC, 0));
  std::filesystem::remove(path.native() + ".lock");
  upcase::listener second(first.take_socket(), std::move(lock), path);
  BOOST_TEST(second.lock() == -1);
  BOOST_TEST(second.renew(0666, 1).empty());  // it makes one anew
  BOOST_TEST(std::filesystem::exists(path.native() + ".lock"));
}

BOOST_AUTO_TEST_CASE(a_lock_that_somebody_else_holds_is_none) {
  const test::temporary_directory place;
  const auto path = place.path() / "s";
  upcase::listener first(path, 0666, 1);
  upcase::file_descriptor opened(::open((path.native() + ".lock").c_str(), O_RDWR | O_CLOEXEC));
  const upcase::listener second(first.take_socket(), std::move(opened), path);
  BOOST_TEST(second.lock() == -1);
}

BOOST_AUTO_TEST_CASE(what_it_cannot_do_it_says) {
  const test::temporary_directory place;
  BOOST_CHECK_THROW(upcase::listener(place.path() / std::string(108, 'x'), 0666, 1),
                    upcase::listen_error);
  BOOST_CHECK_THROW(upcase::listener(place.path() / "missing" / "s", 0666, 1),
                    upcase::listen_error);
}

BOOST_AUTO_TEST_CASE(runtime_directories) {
  ::setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1);
  BOOST_TEST(upcase::daemon_runtime_directory().native() == "/run/a");
  ::unsetenv("RUNTIME_DIRECTORY");
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  BOOST_TEST(upcase::daemon_runtime_directory().native() == "/run/upcased");
  const auto as_user = test::run_as(12345, 12345, [] {
    ::setenv("XDG_RUNTIME_DIR", "/run/user/12345", 1);
    const bool own = upcase::daemon_runtime_directory() == "/run/user/12345/upcased";
    ::setenv("XDG_RUNTIME_DIR", "relative", 1);
    const bool last = upcase::daemon_runtime_directory() == "/tmp/upcased-12345";
    return own && last ? 0 : 1;
  });
  BOOST_TEST(as_user.value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_runtime_directory_of_somebody_elses_is_refused) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const test::temporary_directory place;
  std::filesystem::permissions(place.path(), std::filesystem::perms::all);
  const auto theirs = place.path() / "theirs";
  const auto link = place.path() / "link";
  std::filesystem::create_directory(theirs);
  BOOST_REQUIRE(::chown(theirs.c_str(), 54321, 54321) == 0);
  std::filesystem::create_directory_symlink("/tmp", link);
  BOOST_TEST(upcase::prepare_runtime_directory(theirs).has_value());
  BOOST_TEST(upcase::prepare_runtime_directory(link).has_value());
  BOOST_TEST(upcase::prepare_runtime_directory(place.path() / "no" / "parent").has_value());
  const mode_t previous = ::umask(0077);
  const auto ours = place.path() / "ours";
  BOOST_TEST(!upcase::prepare_runtime_directory(ours).has_value());
  ::umask(previous);
  struct stat status {};
  BOOST_REQUIRE(::lstat(ours.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & ALLPERMS) == 0755U);  // other users' clients must pass
  BOOST_REQUIRE(::chmod(ours.c_str(), 0777) == 0);
  BOOST_TEST(upcase::prepare_runtime_directory(ours).has_value());
  BOOST_REQUIRE(::chmod(ours.c_str(), 01777) == 0);
  BOOST_TEST(!upcase::prepare_runtime_directory(ours).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
