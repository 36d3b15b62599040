// loader: what a configuration file's text is taken for.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/setting_keys.hpp>
#include <upcase/settings_file.hpp>
#include <upcase/settings_loader.hpp>
#include <variant>
#include <vector>

#include "support/skip.hpp"
#include "support/temporary_directory.hpp"

namespace {

upcase::loaded_settings load(const std::filesystem::path& file) {
  return upcase::load_settings({.config = file, .config_required = true, .command_line = {}},
                               upcase::default_settings(file.parent_path()));
}

bool says(const upcase::loaded_settings& loaded, std::string_view text) {
  return loaded.problems.size() == 1 && loaded.problems[0].find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loader)

BOOST_AUTO_TEST_CASE(what_is_a_line) {
  std::vector<std::string> problems;
  const auto lines = upcase::parse_settings_text(
      "# comment\n\n  key=value\n\tother =  two words = and more \r\nempty =\nlast = line", "f",
      problems);
  BOOST_TEST(problems.empty());
  BOOST_REQUIRE(lines.size() == 4U);
  BOOST_TEST(lines[0].where == "f:3");
  BOOST_TEST(lines[0].key == "key");
  BOOST_TEST(lines[0].value == "value");
  BOOST_TEST(lines[1].value == "two words = and more");
  BOOST_TEST(lines[2].value == "");
  BOOST_TEST(lines[3].where == "f:6");
}

BOOST_AUTO_TEST_CASE(what_is_no_line) {
  std::vector<std::string> problems;
  const auto lines =
      upcase::parse_settings_text("= value\n[section]\nbinary\x01=\x02\n", "f", problems);
  BOOST_TEST(lines.empty());
  BOOST_TEST(problems.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_file_without_end_is_given_up) {
  BOOST_TEST(says(load("/dev/zero"), "File too large"));
}

BOOST_AUTO_TEST_CASE(a_pipe_is_refused_at_once) {
  const test::temporary_directory place;
  const auto pipe = place.path() / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  BOOST_TEST(says(load(pipe), "is a pipe"));
}

BOOST_AUTO_TEST_CASE(a_broken_drop_in_directory_is_told) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  test::write_file(file, "");
  test::write_file(place.path() / "upcased.conf.d", "not a directory");
  BOOST_TEST(says(load(file), "cannot list the drop-in directory"));
}

BOOST_AUTO_TEST_CASE(busy_poll_is_a_time_or_auto) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  const auto with = [&](const std::string& text) {
    test::write_file(file, "busy-poll = " + text + '\n');
    return load(file);
  };
  BOOST_TEST((load("/dev/null").value.busy_poll == upcase::duration::zero()));
  BOOST_TEST(!with("auto").value.busy_poll.has_value());
  BOOST_TEST((with("0").value.busy_poll == upcase::duration::zero()));
  BOOST_TEST((with("50us").value.busy_poll == std::chrono::microseconds(50)));
  for (const std::string text : {"auto", "0", "50us"}) {
    BOOST_TEST(upcase::print_settings(with(text).value).find("busy-poll = " + text + '\n') !=
               std::string::npos);
  }
  BOOST_TEST(says(with("11ms"), "at most 10ms, or 'auto'"));
  BOOST_TEST(says(with("often"), ", or 'auto'"));
}

BOOST_AUTO_TEST_CASE(drop_ins_are_read_in_the_order_of_their_names) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  test::write_file(file, "backlog = 99\n");
  const auto drop_ins = place.path() / "upcased.conf.d";
  std::filesystem::create_directory(drop_ins);
  // Created in another order than that of their names.
  for (const int number : {50, 10, 80, 30, 20, 70, 60, 40}) {
    test::write_file(
        drop_ins / (std::to_string(number) + ".conf"),
        "backlog = " + std::to_string(number) + "\nallow-user = " + std::to_string(number) + '\n');
  }
  const auto loaded = load(file);
  BOOST_TEST(loaded.problems.empty());
  BOOST_TEST(loaded.value.backlog == 80U);
  BOOST_TEST(
      loaded.value.access.allow_users == (std::vector<uid_t>{10, 20, 30, 40, 50, 60, 70, 80}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_stands_twice_in_a_file_is_wrong_unless_it_is_a_list) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  test::write_file(file, "backlog = 1\nallow-user = 1\nallow-user = 2\nbacklog = 1\n");
  BOOST_TEST(says(load(file), "upcased.conf:4: backlog: '1': set twice in one file, first at"));
}

BOOST_AUTO_TEST_CASE(a_file_is_warned_of_if_anybody_but_root_and_the_daemon_may_write_it) {
  SKIP_UNLESS(test::is_root(), "needs root to give a file away");
  constexpr uid_t daemon = 61'001;
  constexpr uid_t somebody = 61'002;
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  test::write_file(file, "");
  const auto is_warned_of = [&](uid_t owner, gid_t group, mode_t mode) {
    BOOST_REQUIRE(::chown(file.c_str(), owner, group) == 0);
    BOOST_REQUIRE(::chmod(file.c_str(), mode) == 0);
    std::vector<std::string> warnings;
    const auto read = upcase::read_settings_file(file, daemon, warnings);
    BOOST_TEST(std::holds_alternative<std::string>(read));
    return !warnings.empty();
  };
  BOOST_TEST(!is_warned_of(0, somebody, 0644));
  BOOST_TEST(!is_warned_of(daemon, somebody, 0600));
  BOOST_TEST(is_warned_of(somebody, 0, 0600));
  BOOST_TEST(!is_warned_of(0, 0, 0664));
  BOOST_TEST(is_warned_of(0, somebody, 0664));
  BOOST_TEST(is_warned_of(0, 0, 0646));
}

BOOST_AUTO_TEST_CASE(an_empty_value_clears_a_list) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  test::write_file(file, "allow-user = 1\nallow-user =\nallow-user = 2\ndeny-user = 3\n");
  const auto loaded = load(file);
  BOOST_TEST(loaded.problems.empty());
  BOOST_TEST(loaded.value.access.allow_users == (std::vector<uid_t>{2}),
             boost::test_tools::per_element());
  BOOST_TEST(loaded.value.access.deny_users == (std::vector<uid_t>{3}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_list_on_the_command_line_replaces_the_files) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  test::write_file(file, "allow-user = 1\nallow-user = 2\ndeny-user = 3\n");
  const auto loaded =
      upcase::load_settings({.config = file,
                             .config_required = true,
                             .command_line = {{"allow-user", "8"}, {"allow-user", "9"}}},
                            upcase::default_settings(place.path()));
  BOOST_TEST(loaded.problems.empty());
  BOOST_TEST(loaded.value.access.allow_users == (std::vector<uid_t>{8, 9}),
             boost::test_tools::per_element());
  BOOST_TEST(loaded.value.access.deny_users == (std::vector<uid_t>{3}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(client_directories_that_would_betray_their_users) {
  const test::temporary_directory place;
  const auto file = place.path() / "upcased.conf";
  const auto open_to_all = place.path() / "open";
  std::filesystem::create_directory(open_to_all);
  std::filesystem::permissions(open_to_all, std::filesystem::perms::all);
  test::write_file(file, "client-directory = " + open_to_all.native() + '\n');
  BOOST_TEST(says(load(file), "chmod 1733"));
  BOOST_REQUIRE(::chmod(open_to_all.c_str(), 01733) == 0);
  BOOST_TEST(load(file).problems.empty());
}

BOOST_AUTO_TEST_SUITE_END()
