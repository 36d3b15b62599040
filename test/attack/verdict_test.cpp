// verdict: each way in which a client can be refused, by a real client. Every
// one must be named in the log, get not a byte, and leave the daemon serving.

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"

namespace {

constexpr uid_t stranger = 12345;

// `times`: how often it is to be in the log by now.
void expect_refused(const test::daemon& daemon, int client, const std::string& verdict,
                    std::size_t times = 1) {
  BOOST_TEST(test::refused(client));
  BOOST_TEST(daemon.logged("verdict=" + verdict + " ", times), daemon.log());
  BOOST_TEST(test::served(daemon.connect().get()));
}

// Binds `file`, lets `tamper` do its worst, connects, and expects `verdict`.
void expect_verdict(const test::daemon& daemon, const std::filesystem::path& file,
                    const std::string& verdict, const std::function<void()>& tamper,
                    mode_t mode = 0700, std::size_t times = 1) {
  const auto client = test::make_socket();
  test::bind_to(client.get(), file, mode);
  tamper();
  test::connect_to(client.get(), daemon.socket());
  expect_refused(daemon, client.get(), verdict, times);
}

// In a forked child: 0 if the daemon refused this client.
int refused_code(int client, const std::filesystem::path& server) {
  test::connect_to(client, server);
  return test::refused(client) ? 0 : 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(verdict)

BOOST_AUTO_TEST_CASE(allowed_and_only_then_the_file_is_removed) {
  const test::daemon daemon;
  const auto file = daemon.clients() / "mine";
  const auto client = test::make_socket();
  test::bind_to(client.get(), file);
  const auto open_to_all = daemon.clients() / "open-to-all";
  expect_verdict(
      daemon, open_to_all, "mode", [] {}, 0777);
  BOOST_TEST(std::filesystem::exists(file));
  test::connect_to(client.get(), daemon.socket());
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::eventually([&] { return !std::filesystem::exists(file); }));
  BOOST_TEST(std::filesystem::exists(open_to_all));
}

BOOST_AUTO_TEST_CASE(unnamed) {
  const test::daemon daemon;
  const auto client = test::make_socket();
  test::connect_to(client.get(), daemon.socket());
  expect_refused(daemon, client.get(), "unnamed");
}

BOOST_AUTO_TEST_CASE(abstract) {
  const test::daemon daemon;
  const auto client = test::make_socket();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  BOOST_REQUIRE(::bind(client.get(), reinterpret_cast<sockaddr*>(&address),
                       sizeof(sa_family_t)) == 0);  // autobind, unix(7)
  test::connect_to(client.get(), daemon.socket());
  expect_refused(daemon, client.get(), "abstract");
}

BOOST_AUTO_TEST_CASE(a_full_path_without_room_for_its_nul) {
  const test::daemon daemon;
  const auto client = test::make_socket();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string path = daemon.clients().native() + '/';
  path.resize(sizeof address.sun_path, 'x');
  std::memcpy(address.sun_path, path.data(), path.size());
  BOOST_REQUIRE(::bind(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  test::connect_to(client.get(), daemon.socket());
  expect_refused(daemon, client.get(), "too-long");
}

BOOST_AUTO_TEST_CASE(relative) {
  const test::daemon daemon;
  const auto client = test::make_socket();
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(daemon.clients());
  test::bind_to(client.get(), "name");
  std::filesystem::current_path(here);
  test::connect_to(client.get(), daemon.socket());
  expect_refused(daemon, client.get(), "relative");
}

BOOST_AUTO_TEST_CASE(outside) {
  const test::daemon daemon;
  const auto nothing = [] {};
  std::filesystem::create_directory(daemon.clients() / "sub");
  expect_verdict(daemon, daemon.directory() / "beside", "outside", nothing);
  expect_verdict(daemon, daemon.clients() / "sub" / "name", "outside", nothing, 0700, 2);
  expect_verdict(daemon, daemon.clients() / "sub" / ".." / "dots", "outside", nothing, 0700, 3);
}

BOOST_AUTO_TEST_CASE(not_found) {
  const test::daemon daemon;
  const auto file = daemon.clients() / "name";
  expect_verdict(daemon, file, "not-found", [&] { std::filesystem::remove(file); });
}

BOOST_AUTO_TEST_CASE(a_regular_file_in_its_place_survives) {
  const test::daemon daemon;
  const auto file = daemon.clients() / "name";
  expect_verdict(daemon, file, "not-a-socket", [&] {
    std::filesystem::remove(file);
    test::write_file(file, "precious");
  });
  BOOST_TEST(test::read_file(file) == "precious");
}

BOOST_AUTO_TEST_CASE(a_link_to_roots_socket_by_another_user) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  const test::daemon daemon;
  const auto roots = test::make_socket();
  test::bind_to(roots.get(), daemon.clients() / "roots");
  const auto refused = test::run_as(stranger, stranger, [&] {
    const auto client = test::make_socket();
    const auto file = daemon.clients() / "mine";
    test::bind_to(client.get(), file);
    std::filesystem::remove(file);
    std::filesystem::create_symlink(daemon.clients() / "roots", file);
    return refused_code(client.get(), daemon.socket());
  });
  BOOST_TEST(refused.value_or(-1) == 0);
  BOOST_TEST(daemon.logged("deny uid=12345"));
  BOOST_TEST(daemon.logged("verdict=not-a-socket"));
  BOOST_TEST(std::filesystem::exists(daemon.clients() / "roots"));
}

BOOST_AUTO_TEST_CASE(roots_path_in_a_private_mount_namespace) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  const test::daemon daemon;
  const auto roots = test::make_socket();
  const auto file = daemon.clients() / "roots";
  test::bind_to(roots.get(), file);
  constexpr int no_namespaces = 77;
  const auto refused = test::run_as(stranger, stranger, [&] {
    // As unshare(1) -Urm does it.
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return no_namespaces;
    }
    test::write_file("/proc/self/setgroups", "deny");
    test::write_file("/proc/self/uid_map", "0 12345 1");
    test::write_file("/proc/self/gid_map", "0 12345 1");
    if (::mount("none", daemon.clients().c_str(), "tmpfs", 0, nullptr) != 0) {
      return no_namespaces;
    }
    const auto client = test::make_socket();
    test::bind_to(client.get(), file);
    return refused_code(client.get(), daemon.socket());
  });
  SKIP_UNLESS(refused.value_or(-1) != no_namespaces, "user namespaces are not allowed here");
  BOOST_TEST(refused.value_or(-1) == 0);
  BOOST_TEST(daemon.logged("deny uid=12345"));
  BOOST_TEST(daemon.logged("verdict=uid-mismatch"));
  BOOST_TEST(std::filesystem::exists(file));
}

BOOST_AUTO_TEST_CASE(linked) {
  const test::daemon daemon;
  const auto file = daemon.clients() / "name";
  expect_verdict(daemon, file, "linked",
                 [&] { std::filesystem::create_hard_link(file, daemon.clients() / "other"); });
}

BOOST_AUTO_TEST_CASE(mode) {
  const test::daemon daemon;
  expect_verdict(
      daemon, daemon.clients() / "a", "mode", [] {}, 0755);
  expect_verdict(
      daemon, daemon.clients() / "b", "mode", [] {}, 0770, 2);
}

BOOST_AUTO_TEST_CASE(any_mode_where_the_administrator_says_so) {
  const test::daemon daemon({.arguments = {"--client-mode", "any"}});
  const auto client = test::make_socket();
  test::bind_to(client.get(), daemon.clients() / "a", 0755);
  test::connect_to(client.get(), daemon.socket());
  BOOST_TEST(test::served(client.get()));
}

BOOST_AUTO_TEST_CASE(stale) {
  const test::daemon daemon({.arguments = {"--client-max-age", "1s"}});
  expect_verdict(daemon, daemon.clients() / "a", "stale",
                 [] { std::this_thread::sleep_for(std::chrono::milliseconds(1200)); });
}

BOOST_AUTO_TEST_CASE(owned_by_somebody_else) {
  SKIP_UNLESS(test::is_root(), "needs root to give a file away");
  const test::daemon daemon;
  const auto file = daemon.clients() / "a";
  expect_verdict(daemon, file, "uid-mismatch",
                 [&] { BOOST_REQUIRE(::chown(file.c_str(), stranger, stranger) == 0); });
  BOOST_TEST(std::filesystem::exists(file));
}

BOOST_AUTO_TEST_CASE(a_user_whom_no_namespace_can_name) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  const test::daemon daemon;
  const auto refused = test::run_as(65534, 65534, [&] {
    const auto client = test::make_socket();
    test::bind_to(client.get(), daemon.clients() / "nobodys");
    return refused_code(client.get(), daemon.socket());
  });
  BOOST_TEST(refused.value_or(-1) == 0);
  BOOST_TEST(daemon.logged("verdict=unmapped-uid"));
}

BOOST_AUTO_TEST_CASE(something_mounted_over_its_file) {
  SKIP_UNLESS(test::is_root(), "needs root to mount");
  const test::daemon daemon;
  const auto file = daemon.clients() / "a";
  const auto other = daemon.directory() / "other";
  test::write_file(other, "");
  const auto client = test::make_socket();
  test::bind_to(client.get(), file);
  SKIP_UNLESS(::mount(other.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) == 0,
              "mounts are not allowed here");
  test::connect_to(client.get(), daemon.socket());
  expect_refused(daemon, client.get(), "crossed-mount");
  ::umount2(file.c_str(), MNT_DETACH);
}

BOOST_AUTO_TEST_CASE(bytes_that_fake_a_log_line_are_escaped) {
  const test::daemon daemon({.arguments = {"--deny-user", std::to_string(::geteuid())}});
  const auto client = test::make_socket();
  test::bind_to(client.get(), daemon.clients() / "x\nallow client=666\x1b[2J");
  test::connect_to(client.get(), daemon.socket());
  BOOST_TEST(test::refused(client.get()));
  BOOST_TEST(daemon.logged("x\\x0aallow client=666\\x1b[2J"));
  BOOST_TEST(daemon.count("\nallow") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
