// client_advice: what upcase says of a connection that did not come about, and
// which command it names to mend that.

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <functional>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <vector>

#include "support/client.hpp"
#include "support/one_client_server.hpp"
#include "support/skip.hpp"
#include "support/temporary_directory.hpp"

namespace {

// What upcase says where it ends with `code`.
class failing_client {
 public:
  std::string operator()(
      int code, const std::string& socket,
      const std::function<bool()>& before_exec = [] { return true; }) const {
    const auto errors = place_.path() / "err";
    std::filesystem::remove(errors);
    test::write_file(errors, "");
    std::filesystem::permissions(errors, std::filesystem::perms::all);
    test::process client({.argv = {UPCASE_PROGRAM, "--socket", socket, "x"},
                          .environment = {"XDG_RUNTIME_DIR=/nonexistent"},
                          .errors = errors,
                          .before_exec = before_exec});
    BOOST_TEST(client.wait().value_or(-1) == code);
    return test::read_file(errors);
  }

 private:
  test::temporary_directory place_;
};

bool become_somebody() { return ::setuid(12345) == 0; }

bool names(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_advice, failing_client)

BOOST_AUTO_TEST_CASE(what_starts_a_daemon_depends_on_the_socket) {
  const std::string instance = (*this)(69, "/run/upcased-no-such/upcased.sock");
  BOOST_TEST(names(instance, "'systemctl start upcased@no-such.socket'"), instance);
  BOOST_TEST(names(instance, "'systemctl status upcased@no-such.socket upcased@no-such.service'"));
  BOOST_TEST(
      names(instance, "'systemctl reset-failed upcased@no-such.socket upcased@no-such.service'"));
  const std::string other = (*this)(69, "/nonexistent/other.sock");
  BOOST_TEST(names(other, "'upcased --socket /nonexistent/other.sock'"), other);
  BOOST_TEST(!names(other, "systemctl"), other);
}

BOOST_AUTO_TEST_CASE(the_systems_socket_is_its_units) {
  const bool installed = std::filesystem::exists("/run/upcased");
  SKIP_UNLESS(!installed || test::is_root(), "needs root to hide the daemon that is installed");
  const std::string said = (*this)(69, "/run/upcased/upcased.sock", [installed] {
    return !installed ||
           (::unshare(CLONE_NEWNS) == 0 &&
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
            ::mount("none", "/run/upcased", "tmpfs", MS_NOSUID | MS_NODEV, nullptr) == 0);
  });
  BOOST_TEST(names(said, "'systemctl start upcased.socket'"), said);
}

BOOST_AUTO_TEST_CASE(a_users_socket_is_its_managers) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const std::string said = (*this)(69, "/nonexistent/upcased/upcased.sock", become_somebody);
  BOOST_TEST(names(said, "'systemctl --user start upcased.socket' or, as yourself, 'upcased'"),
             said);
}

BOOST_AUTO_TEST_CASE(a_units_socket_has_its_mode_from_the_unit) {
  SKIP_UNLESS(test::is_root(), "needs root to make a directory in /run");
  const std::string name = "test-" + std::to_string(::getpid());
  const std::filesystem::path directory = "/run/upcased-" + name;
  std::filesystem::create_directories(directory / "clients");
  std::filesystem::permissions(directory / "clients", std::filesystem::perms(01733));
  const auto socket = test::make_socket();
  test::bind_to(socket.get(), directory / "upcased.sock", 0600);
  BOOST_TEST(::listen(socket.get(), 1) == 0);
  const std::string said = (*this)(77, directory / "upcased.sock", become_somebody);
  std::filesystem::remove_all(directory);
  BOOST_TEST(names(said, "SocketMode="), said);
  BOOST_TEST(names(said, "'systemctl edit upcased@" + name + ".socket'"), said);
  BOOST_TEST(!names(said, "socket-mode"), said);
}

BOOST_AUTO_TEST_CASE(a_read_only_directory_is_blamed_on_the_sandbox) {
  SKIP_UNLESS(test::is_root(), "needs root to mount");
  const test::one_client_server server([](const auto&, const auto&) {});
  const std::string clients = server.clients();
  const std::string said = (*this)(71, server.socket(), [&clients] {
    const char* path = clients.c_str();
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount(path, path, nullptr, MS_BIND, nullptr) == 0 &&
           ::mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
  });
  BOOST_TEST(names(said, "'ReadWritePaths=" + clients + "'"), said);
  BOOST_TEST(!names(said, "client-directory"), said);
}

BOOST_AUTO_TEST_CASE(a_forbidden_directory_is_blamed_on_its_mode) {
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  const test::one_client_server server([](const auto&, const auto&) {});
  std::filesystem::permissions(server.clients(), std::filesystem::perms(0755));
  const std::string said = (*this)(71, server.socket(), become_somebody);
  BOOST_TEST(names(said, "'ls -ld " + server.clients().native() + "'"), said);
  BOOST_TEST(names(said, "uid 12345"), said);
  BOOST_TEST(!names(said, "client-directory"), said);
}

BOOST_AUTO_TEST_CASE(the_environment_may_name_the_client_directory) {
  const test::one_client_server server([](upcase::file_descriptor connection, const auto& file) {
    std::filesystem::remove(file);
    test::send_all(connection.get(), test::receive(connection.get(), 2));
    test::receive_to_end(connection.get());
  });
  const std::vector<std::string> environment{"UPCASED_CLIENT_DIRECTORY=/nonexistent"};
  const auto wrong = test::run({UPCASE_PROGRAM, "-s", server.socket(), "x"}, "", environment);
  BOOST_TEST(wrong.code == 71);
  BOOST_TEST(names(wrong.errors, "'/nonexistent'"));
  const auto overruled = test::run(
      {UPCASE_PROGRAM, "-s", server.socket(), "-d", server.clients(), "x"}, "", environment);
  BOOST_TEST(overruled.code == 0);
}

BOOST_AUTO_TEST_SUITE_END()
