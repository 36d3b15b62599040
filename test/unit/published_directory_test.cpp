// published_directory: the link beside a socket, and whom a client believes.

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/published_directory.hpp>

#include "support/client.hpp"
#include "support/skip.hpp"
#include "support/temporary_directory.hpp"

namespace {

struct fixture {
  fixture() { test::bind_to(bound.get(), socket); }

  [[nodiscard]] bool publish(const std::vector<std::filesystem::path>& directories) const {
    return !upcase::publish_client_directory(socket, directories);
  }
  [[nodiscard]] std::string found() const {
    return upcase::find_published_client_directory(socket).value_or("none").native();
  }
  [[nodiscard]] bool link_exists() const {
    return std::filesystem::is_symlink(upcase::published_name(socket));
  }

  test::temporary_directory place;
  std::filesystem::path socket = place.path() / "upcased.sock";
  upcase::file_descriptor bound = test::make_socket();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(published_directory, fixture)

BOOST_AUTO_TEST_CASE(what_is_published_is_found) {
  BOOST_TEST(found() == "none");
  BOOST_TEST(publish({"/srv/one", "/srv/two"}));
  BOOST_TEST(found() == "/srv/one");
  BOOST_TEST(publish({"/srv/two"}));
  BOOST_TEST(found() == "/srv/two");
  upcase::withdraw_client_directory(socket);
  BOOST_TEST(!link_exists());
}

BOOST_AUTO_TEST_CASE(the_usual_place_needs_no_link) {
  for (const auto& directories :
       {std::vector<std::filesystem::path>{}, {"/srv/one", place.path() / "clients"}}) {
    BOOST_TEST(publish({"/srv/one"}));
    BOOST_TEST(publish(directories));
    BOOST_TEST(!link_exists());
  }
}

BOOST_AUTO_TEST_CASE(a_link_that_cannot_be_made_is_told) {
  std::filesystem::create_directory(upcase::published_name(socket));
  const auto problem = upcase::publish_client_directory(socket, {"/srv/one"});
  BOOST_REQUIRE(problem);
  BOOST_TEST(problem->find("UPCASED_CLIENT_DIRECTORY") != std::string::npos, *problem);
  BOOST_TEST(found() == "none");
  BOOST_TEST(!std::filesystem::exists(upcase::published_name(socket).native() + ".new"));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_link_stays) {
  for (const char* ending : {"", ".new"}) {
    const std::filesystem::path file = upcase::published_name(socket).native() + ending;
    test::write_file(file, "somebody's");
    BOOST_TEST(!publish({"/srv/one"}));
    upcase::withdraw_client_directory(socket);
    BOOST_TEST(test::read_file(file) == "somebody's");
    std::filesystem::remove(file);
  }
}

BOOST_AUTO_TEST_CASE(an_abstract_socket_has_no_link) {
  std::filesystem::current_path(place.path());
  socket.clear();
  BOOST_TEST(publish({"/srv/one"}));
  BOOST_TEST(!std::filesystem::is_symlink(place.path() / ".clients"));
  std::filesystem::create_symlink("/srv/one", ".clients");
  upcase::withdraw_client_directory(socket);
  BOOST_TEST(std::filesystem::is_symlink(place.path() / ".clients"));
}

BOOST_AUTO_TEST_CASE(a_link_that_another_daemon_left_is_withdrawn) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  BOOST_TEST(publish({"/srv/one"}));
  BOOST_REQUIRE(::chown(place.path().c_str(), 12345, 12345) == 0);
  BOOST_REQUIRE(::seteuid(12345) == 0);
  BOOST_TEST(publish({}));
  BOOST_TEST(found() == "none");
  BOOST_REQUIRE(::seteuid(0) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_absolute_path_is_nothing) {
  std::filesystem::create_symlink("srv/one", upcase::published_name(socket));
  BOOST_TEST(found() == "none");
}

BOOST_AUTO_TEST_CASE(a_directory_in_which_others_may_rename_is_not_believed) {
  BOOST_TEST(publish({"/srv/one"}));
  BOOST_REQUIRE(::chmod(place.path().c_str(), 0777) == 0);
  BOOST_TEST(found() == "none");
  BOOST_REQUIRE(::chmod(place.path().c_str(), 01777) == 0);
  BOOST_TEST(found() == "/srv/one");
}

BOOST_AUTO_TEST_CASE(a_planted_link_is_not_believed_and_not_removed) {
  SKIP_UNLESS(test::is_root(), "needs root to act as another user");
  BOOST_REQUIRE(::chmod(place.path().c_str(), 01777) == 0);
  BOOST_TEST(publish({"/srv/one"}));
  BOOST_REQUIRE(::lchown(upcase::published_name(socket).c_str(), 12345, 12345) == 0);
  BOOST_TEST(found() == "none");
  upcase::withdraw_client_directory(socket);
  BOOST_TEST(link_exists());
  // The daemon's own: systemd makes the socket as root in a directory of the daemon's.
  BOOST_REQUIRE(::chmod(place.path().c_str(), 0755) == 0);
  BOOST_REQUIRE(::chown(place.path().c_str(), 12345, 12345) == 0);
  BOOST_TEST(found() == "/srv/one");
  BOOST_REQUIRE(::chown(place.path().c_str(), 0, 0) == 0);
  BOOST_REQUIRE(::chown(socket.c_str(), 12345, 12345) == 0);
  BOOST_TEST(found() == "/srv/one");
}

BOOST_AUTO_TEST_SUITE_END()
