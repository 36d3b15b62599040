// client_socket: whose file lies under the client's name, and where.

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <upcase/client_file.hpp>
#include <upcase/client_socket.hpp>
#include <utility>

#include "support/client.hpp"
#include "support/skip.hpp"
#include "support/temporary_directory.hpp"

namespace {

// Called around each bind(2) of this program: what others do at that moment.
std::function<void()> before_bind;
std::function<void()> after_bind;

void call_once(std::function<void()>& hook) {
  if (const auto action = std::exchange(hook, nullptr)) {
    action();
  }
}

}  // namespace

// In place of the C library's.
extern "C" int bind(int socket, const sockaddr* address, socklen_t length) noexcept {
  call_once(before_bind);
  const long result = ::syscall(SYS_bind, socket, address, length);
  call_once(after_bind);
  return static_cast<int>(result);
}

namespace {

// A server that listens, and a directory for clients.
struct place {
  place() {
    test::bind_to(listening.get(), server());
    BOOST_REQUIRE(::listen(listening.get(), 1) == 0);
    std::filesystem::create_directory(clients());
    std::filesystem::create_directory(elsewhere());
  }
  [[nodiscard]] std::filesystem::path server() const { return directory.path() / "server"; }
  [[nodiscard]] std::filesystem::path clients() const { return directory.path() / "clients"; }
  [[nodiscard]] std::filesystem::path elsewhere() const { return directory.path() / "elsewhere"; }
  [[nodiscard]] std::filesystem::path aside() const { return directory.path() / "aside"; }

  void swap() const {
    std::filesystem::rename(clients(), aside());
    std::filesystem::create_directory_symlink(elsewhere(), clients());
  }
  void swap_back() const {
    std::filesystem::remove(clients());
    std::filesystem::rename(aside(), clients());
  }

  test::temporary_directory directory;
  upcase::file_descriptor listening = test::make_socket();
};

bool says_replaced(const upcase::connect_error& error) {
  return std::string_view(error.what()).find("was replaced") != std::string_view::npos;
}

bool says_not_sticky(const upcase::connect_error& error) {
  return std::string_view(error.what()).find("'chmod 1733 ") != std::string_view::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_socket, place)

BOOST_AUTO_TEST_CASE(removes_its_file) {
  std::optional<upcase::client_socket> socket(std::in_place, server(), clients());
  BOOST_TEST(socket->has_file());
  struct stat status {};
  BOOST_REQUIRE(::stat(socket->path().c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & ACCESSPERMS) == 0700U);
  socket.reset();
  BOOST_TEST(std::filesystem::is_empty(clients()));
}

BOOST_AUTO_TEST_CASE(knows_its_file_from_another) {
  std::optional<upcase::client_socket> socket(std::in_place, server(), clients());
  const std::filesystem::path file = socket->path();
  std::filesystem::remove(file);
  BOOST_TEST(!socket->has_file());
  test::bind_to(test::make_socket().get(), file);
  BOOST_TEST(!socket->has_file());
  socket.reset();
  BOOST_TEST(std::filesystem::exists(file));
}

BOOST_AUTO_TEST_CASE(takes_nothing_but_a_socket_of_its_users_for_its_own) {
  const upcase::file_descriptor in(::open(clients().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto is_ours = [&](const char* name) {
    return upcase::client_file::find(in.get(), name).has_value();
  };
  test::write_file(clients() / "file", "");
  BOOST_TEST(!is_ours("file"));
  std::filesystem::create_symlink(server(), clients() / "link");
  BOOST_TEST(!is_ours("link"));
  test::bind_to(test::make_socket().get(), clients() / "socket");
  BOOST_TEST(is_ours("socket"));
  SKIP_UNLESS(test::is_root(), "needs root to give a file away");
  BOOST_REQUIRE(::chown((clients() / "socket").c_str(), 12345, 12345) == 0);
  BOOST_TEST(!is_ours("socket"));
}

BOOST_AUTO_TEST_CASE(finds_its_file_where_it_was_made) {
  std::optional<upcase::client_socket> socket(std::in_place, server(), clients());
  swap();
  BOOST_TEST(socket->has_file());
  socket.reset();
  BOOST_TEST(std::filesystem::is_empty(aside()));
}

BOOST_AUTO_TEST_CASE(leaves_nothing_in_a_directory_swapped_in) {
  before_bind = [this] { swap(); };
  BOOST_CHECK_EXCEPTION(upcase::client_socket(server(), clients()), upcase::connect_error,
                        says_replaced);
  BOOST_TEST(std::filesystem::is_empty(elsewhere()));
}

BOOST_AUTO_TEST_CASE(leaves_nothing_in_a_directory_swapped_in_and_out) {
  SKIP_UNLESS(test::is_root(), "only root is told where a socket's file is");
  before_bind = [this] { swap(); };
  after_bind = [this] { swap_back(); };
  BOOST_CHECK_EXCEPTION(upcase::client_socket(server(), clients()), upcase::connect_error,
                        says_replaced);
  BOOST_TEST(std::filesystem::is_empty(elsewhere()));
  BOOST_TEST(std::filesystem::is_empty(clients()));
}

BOOST_AUTO_TEST_CASE(knows_a_forbidden_place_from_an_empty_one) {
  const auto reason = [this](const std::filesystem::path& socket) {
    try {
      const upcase::client_socket connected(socket, clients());
    } catch (const upcase::connect_error& error) {
      return static_cast<int>(error.why);
    }
    return -1;
  };
  BOOST_TEST(reason(elsewhere() / "s") == static_cast<int>(upcase::connect_error::kind::no_daemon));
  SKIP_UNLESS(test::is_root(), "needs root to become another user");
  std::filesystem::permissions(elsewhere(), std::filesystem::perms::owner_all);
  const auto as_user = test::run_as(12345, 12345, [&] { return reason(elsewhere() / "s"); });
  BOOST_TEST(as_user.value_or(-1) == static_cast<int>(upcase::connect_error::kind::forbidden));
}

BOOST_AUTO_TEST_CASE(wants_no_directory_where_others_may_remove_its_file) {
  std::filesystem::permissions(clients(), std::filesystem::perms::all);
  BOOST_CHECK_EXCEPTION(upcase::client_socket(server(), clients()), upcase::connect_error,
                        says_not_sticky);
}

BOOST_AUTO_TEST_SUITE_END()
