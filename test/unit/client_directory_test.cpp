// client_directory: which directories are safe to look for clients' files in.

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/client_directory.hpp>
#include <variant>

#include "support/skip.hpp"
#include "support/temporary_directory.hpp"

namespace {

// Why `path` will not do for a daemon of that user; empty if it will.
std::string problem_of(const std::filesystem::path& path, uid_t daemon = ::geteuid()) {
  const auto opened = upcase::client_directory::open(path, daemon);
  const auto* problem = std::get_if<std::string>(&opened);
  return problem != nullptr ? *problem : std::string();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_directory)

BOOST_AUTO_TEST_CASE(it_belongs_to_root_or_to_the_daemon) {
  SKIP_UNLESS(test::is_root(), "needs root to give a directory away");
  const test::temporary_directory place;
  constexpr uid_t daemon = 61'001;
  constexpr uid_t somebody = 61'002;
  BOOST_TEST(problem_of(place.path(), daemon) == "");
  BOOST_REQUIRE(::chown(place.path().c_str(), daemon, daemon) == 0);
  BOOST_TEST(problem_of(place.path(), daemon) == "");
  BOOST_REQUIRE(::chown(place.path().c_str(), somebody, somebody) == 0);
  BOOST_TEST(problem_of(place.path(), daemon).find("belongs to uid 61002") != std::string::npos);
  BOOST_TEST(problem_of(place.path(), 0).find("belongs to uid 61002") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(others_may_write_only_where_it_is_sticky) {
  const test::temporary_directory place;
  for (const mode_t writable : {0770U, 0707U, 0777U}) {
    BOOST_REQUIRE(::chmod(place.path().c_str(), writable) == 0);
    BOOST_TEST(problem_of(place.path()).find("not sticky") != std::string::npos);
    BOOST_REQUIRE(::chmod(place.path().c_str(), writable | S_ISVTX) == 0);
    BOOST_TEST(problem_of(place.path()) == "");
  }
}

BOOST_AUTO_TEST_CASE(one_that_is_made_lets_everybody_bind_and_nobody_list) {
  const test::temporary_directory place;
  const auto path = place.path() / "clients";
  const mode_t previous = ::umask(077);
  const auto opened = upcase::client_directory::open_or_create(path);
  ::umask(previous);
  BOOST_REQUIRE(std::holds_alternative<upcase::client_directory>(opened));
  BOOST_TEST(std::get<upcase::client_directory>(opened).path() == path.native());
  struct stat status {};
  BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 07777U) == 01733U);
}

BOOST_AUTO_TEST_CASE(what_is_no_directory_is_refused) {
  const test::temporary_directory place;
  test::write_file(place.path() / "file", "");
  BOOST_TEST(problem_of(place.path() / "file").find("is not a directory") != std::string::npos);
  BOOST_TEST(problem_of(place.path() / "none").find("cannot open") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
