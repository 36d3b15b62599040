// name_service: the system's users and groups come late, or not at all. That
// costs neither a client nor a configuration.

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/name_service.hpp"

namespace {

struct fixture {
  test::name_service names;
  test::temporary_directory place;

  test::outcome check(std::string_view config) {
    test::write_file(place.path() / "conf", config);
    return test::run({UPCASED_PROGRAM, "--config", place.path() / "conf", "--check"}, "",
                     names.environment());
  }
};

bool says(const test::outcome& outcome, std::string_view text) {
  return outcome.errors.find(text) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(name_service, fixture)

BOOST_AUTO_TEST_CASE(what_does_not_exist_is_wrong) {
  // getpwnam(3) has several ways to say so.
  for (const int error : {0, ENOENT, ESRCH, EBADF, EPERM}) {
    names.fail(error);
    const auto outcome = check("allow-user = no-such-user\ndeny-group = no-such-group\n");
    BOOST_TEST(outcome.code == 78, "errno " << error << ": " << outcome.errors);
    BOOST_TEST(says(outcome, ":1: allow-user: 'no-such-user': no such user"));
    BOOST_TEST(says(outcome, ":2: deny-group: 'no-such-group': no such group"));
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_looked_up_is_not_wrong) {
  for (const int error : {EAGAIN, EIO, EMFILE, ENFILE, ENOMEM, ECONNREFUSED, EINVAL}) {
    names.fail(error);
    const auto outcome = check("allow-user = root\ndeny-group = root\n");
    BOOST_TEST(outcome.code == 71, "errno " << error << ": " << outcome.errors);
    BOOST_TEST(says(outcome, ":1: allow-user: 'root': cannot be looked up: "), outcome.errors);
    BOOST_TEST(says(outcome, ":2: deny-group: 'root': cannot be looked up: "), outcome.errors);
  }
  // What is wrong as well stays so, however long one waits.
  const auto outcome = check("allow-user = root\nbacklog = many\n");
  BOOST_TEST(outcome.code == 78);
  BOOST_TEST(says(outcome, "cannot be looked up"));
  // A number needs no name service.
  BOOST_TEST(check("allow-user = 0\n").code == 0);
}

BOOST_AUTO_TEST_CASE(a_record_without_end_is_given_up) {
  names.fail(ERANGE);
  BOOST_TEST(check("allow-user = root\n").code == 71);
}

BOOST_AUTO_TEST_CASE(a_start_is_to_be_tried_again) {
  names.fail(EAGAIN);
  test::write_file(place.path() / "conf", "allow-user = root\n");
  const auto outcome = test::run({UPCASED_PROGRAM, "--config", place.path() / "conf", "--socket",
                                  place.path() / "s", "--client-directory", place.path() / "c"},
                                 "", names.environment());
  BOOST_TEST(outcome.code == 71);
  BOOST_TEST(says(outcome, "cannot be looked up: Resource temporarily unavailable"));
}

BOOST_AUTO_TEST_CASE(a_reload_keeps_the_old_rules) {
  test::daemon daemon({.config = "deny-user = daemon\n", .environment = names.environment()});
  const auto client = daemon.connect();
  names.fail(EIO);
  test::write_file(daemon.config(), "deny-user = root\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(daemon.logged("deny-user: 'root': cannot be looked up: Input/output error"));
  BOOST_TEST(test::served(client.get()));
  BOOST_TEST(test::served(daemon.connect().get()));
  names.fail(0);
  test::write_file(daemon.config(), "deny-user = " + std::to_string(::geteuid()) + "\n");
  BOOST_TEST(daemon.reload());
  BOOST_TEST(test::refused(client.get()));
}

BOOST_AUTO_TEST_SUITE_END()
