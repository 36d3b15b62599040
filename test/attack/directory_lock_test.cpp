// directory_lock: another user keeps the lock of a client directory, in which
// everybody may make files. Whoever removes a file there waits for it, and so does
// whoever looks for a name that the kernel has not cached; accepting, signals and the
// heartbeat must not.

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <linux/userfaultfd.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <upcase/client_files.hpp>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/notify_socket.hpp"
#include "support/skip.hpp"

namespace {

using namespace std::chrono_literals;
using upcase::file_descriptor;

constexpr uid_t stranger = 12345;
constexpr uid_t neighbour = 12346;

// What should take no time at all gets so much.
constexpr std::chrono::seconds at_once{5};

// Acts as another user for as long as it lives, as connect(2) and bind(2) see it.
class acting_as {
 public:
  explicit acting_as(uid_t user) { BOOST_REQUIRE(::seteuid(user) == 0); }
  acting_as(const acting_as&) = delete;
  acting_as& operator=(const acting_as&) = delete;
  ~acting_as() { BOOST_REQUIRE(::seteuid(0) == 0); }
};

// A page that nobody ever fills: who writes to it waits (userfaultfd(2)). An
// ordinary user has one too, from a FUSE file system of its own.
void* bottomless_page() {
  constexpr std::size_t size = 4096;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg)
  const auto faults = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
  uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
  void* const page =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uffdio_register range{};
  range.range = {.start = reinterpret_cast<std::uintptr_t>(page), .len = size};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  const bool made = faults >= 0 && page != MAP_FAILED && ::ioctl(faults, UFFDIO_API, &api) == 0 &&
                    ::ioctl(faults, UFFDIO_REGISTER, &range) == 0;
  return made ? page : nullptr;
}

// A child of ours, which does `action` as the stranger.
class child {
 public:
  template <typename Action>
  explicit child(Action action) : pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      action();
      ::_exit(0);
    }
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() { end(); }

  void end() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
  }

  /// Waits until it sleeps in this system call.
  [[nodiscard]] bool sleeps_in(long call) const {
    return test::eventually(
        [&] {
          std::ifstream file("/proc/" + std::to_string(pid_) + "/syscall");
          long number = -1;
          return (file >> number) && number == call;
        },
        at_once);
  }

 private:
  pid_t pid_;
};

// Keeps a directory's lock: a reader of its list has it, a writer waits for it, and
// so everybody else waits behind that one.
class directory_lock {
 public:
  explicit directory_lock(const std::filesystem::path& directory)
      : reader_([&] {
          void* const page = bottomless_page();
          const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
          if (page != nullptr && ::setuid(stranger) == 0) {
            ::syscall(SYS_getdents64, fd, page, 4096);  // NOLINT(*-vararg)
          }
        }),
        held_(reader_.sleeps_in(SYS_getdents64)),
        writer_([&] {
          if (::setuid(stranger) == 0) {
            ::syscall(SYS_mkdirat, AT_FDCWD, (directory / "w").c_str(), 0700);  // NOLINT(*-vararg)
          }
        }) {
    held_ = held_ && writer_.sleeps_in(SYS_mkdirat);
  }

  [[nodiscard]] bool held() const noexcept { return held_; }
  void release() { reader_.end(); }

 private:
  child reader_;
  bool held_;
  child writer_;
};

// Bound, and still to be connected: while the lock is held nobody can bind.
std::vector<file_descriptor> bind_clients(const test::daemon& daemon, const std::string& name,
                                          std::size_t count, uid_t user) {
  const acting_as somebody(user);
  std::vector<file_descriptor> result;
  while (result.size() < count) {
    result.push_back(test::make_socket());
    test::bind_to(result.back().get(), daemon.clients() / (name + std::to_string(result.size())));
  }
  return result;
}

// The same, with their files under other names by now. Of the old ones the kernel has
// nothing cached.
std::vector<file_descriptor> bind_lost_clients(const test::daemon& daemon, const std::string& name,
                                               std::size_t count, uid_t user) {
  auto result = bind_clients(daemon, name, count, user);
  for (std::size_t i = 1; i <= count; ++i) {
    const auto file = daemon.clients() / (name + std::to_string(i));
    std::filesystem::rename(file, file.native() + "-moved");
  }
  return result;
}

void connect_as(uid_t user, const file_descriptor& client, const test::daemon& daemon) {
  const acting_as somebody(user);
  test::connect_to(client.get(), daemon.socket());
}

bool serves(const file_descriptor& client) {
  test::send_all(client.get(), "x");
  return test::receive(client.get(), 1, at_once) == "X";
}

std::size_t connections_to(const std::vector<file_descriptor>& clients) {
  return static_cast<std::size_t>(std::ranges::count_if(
      clients, [](const auto& client) { return !test::refused(client.get(), 0ns); }));
}

// As in /var/tmp: who may list a directory can keep its lock for as long as he likes.
// Where nobody may, it takes many processes of the lowest priority, and luck.
void let_all_list(const std::filesystem::path& directory) {
  std::filesystem::permissions(directory, std::filesystem::perms(01777));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(directory_lock)

BOOST_AUTO_TEST_CASE(who_has_a_file_is_served_meanwhile) {
  SKIP_UNLESS(test::is_root(), "needs root to act as other users");
  constexpr std::size_t too_many = 3;
  constexpr std::size_t most = upcase::client_files::most_waiting_of_a_user;
  test::notify_socket manager;
  test::daemon daemon({.environment = {manager.variable(), "WATCHDOG_USEC=200000"}});
  let_all_list(daemon.clients());
  const auto good = bind_clients(daemon, "good", 2, 0);
  const auto lost = bind_lost_clients(daemon, "lost", most + too_many, stranger);
  const auto neighbours = bind_lost_clients(daemon, "next", 1, neighbour);
  // So many that with the others one is too many.
  std::vector<std::vector<file_descriptor>> crowd;
  for (uid_t user = neighbour + 1; crowd.size() < upcase::client_files::most_waiting / most - 1;
       ++user) {
    crowd.push_back(bind_lost_clients(daemon, std::to_string(user) + "-", most, user));
  }
  class directory_lock lock(daemon.clients());
  SKIP_UNLESS(lock.held(), "no userfaultfd(2) here");

  connect_as(0, good[0], daemon);
  BOOST_TEST(serves(good[0]));
  for (const auto& client : lost) {
    connect_as(stranger, client, daemon);
  }
  connect_as(neighbour, neighbours[0], daemon);
  BOOST_TEST(test::eventually([&] { return connections_to(lost) == most; }, at_once));
  BOOST_TEST(daemon.count("verdict=busy ") == too_many);
  BOOST_TEST(connections_to(neighbours) == 1U);
  for (std::size_t i = 0; i < crowd.size(); ++i) {
    for (const auto& client : crowd[i]) {
      connect_as(neighbour + 1 + static_cast<uid_t>(i), client, daemon);
    }
  }
  BOOST_TEST(
      test::eventually([&] { return daemon.count("verdict=busy ") == too_many + 1; }, at_once));
  connect_as(0, good[1], daemon);
  BOOST_TEST(serves(good[1]));

  const auto beats = [&] { return test::occurrences(manager.messages(), "WATCHDOG=1"); };
  BOOST_TEST(test::eventually([&, before = beats()] { return beats() > before + 3; }, at_once));
  BOOST_TEST(daemon.reload());

  lock.release();
  BOOST_TEST(test::eventually([&] { return connections_to(lost) == 0; }, at_once));
  BOOST_TEST(test::refused(neighbours[0].get(), at_once));
  BOOST_TEST(daemon.logged("deny uid=12346"));
  BOOST_TEST(daemon.logged("verdict=not-found path=" + (daemon.clients() / "next1").native()));
  for (const char* file : {"good1", "good2"}) {
    BOOST_TEST(test::eventually([&] { return !std::filesystem::exists(daemon.clients() / file); },
                                at_once));
  }
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_stop_waits_no_longer_than_it_may) {
  SKIP_UNLESS(test::is_root(), "needs root to act as other users");
  test::daemon daemon({.arguments = {"--drain-timeout", "500ms"}});
  let_all_list(daemon.clients());
  const auto good = bind_clients(daemon, "good", 1, 0);
  const auto lost = bind_lost_clients(daemon, "lost", 4, stranger);
  class directory_lock lock(daemon.clients());
  SKIP_UNLESS(lock.held(), "no userfaultfd(2) here");
  connect_as(0, good[0], daemon);
  BOOST_TEST(serves(good[0]));
  for (const auto& client : lost) {
    connect_as(stranger, client, daemon);
  }
  daemon.signal(SIGTERM);
  BOOST_TEST(test::eventually([&] { return daemon.count("state=stopped") == 1; }, at_once));
  BOOST_TEST(test::receive_to_end(good[0].get()) == "");
  BOOST_TEST(connections_to(lost) == 0U);
  // Its threads wait for the lock, and with them the process.
  lock.release();
  BOOST_TEST(daemon.wait(at_once).value_or(-1) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
