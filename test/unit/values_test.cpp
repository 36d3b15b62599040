// values: what a setting's text means, at the edges; and what is printed of
// other people's bytes.

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <upcase/accept_backoff.hpp>
#include <upcase/escape.hpp>
#include <upcase/line_limit.hpp>
#include <upcase/setting_keys.hpp>
#include <upcase/setting_values.hpp>
#include <upcase/settings_loader.hpp>
#include <upcase/shortage.hpp>
#include <vector>

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(values)

BOOST_AUTO_TEST_CASE(times) {
  BOOST_TEST((upcase::parse_duration("500ms") == 500ms));
  BOOST_TEST((upcase::parse_duration("50us") == 50us));
  BOOST_TEST((upcase::parse_duration("30s") == 30s));
  BOOST_TEST((upcase::parse_duration("5min") == 5min));
  BOOST_TEST((upcase::parse_duration("2h") == 2h));
  BOOST_TEST((upcase::parse_duration("3650d") == 3650 * 24h));
  BOOST_TEST((upcase::parse_duration("0") == 0s));
  for (const char* wrong : {"", "s", "30", "-1s", "+1s", " 1s", "1 s", "1.5s", "1m", "3651d",
                            "99999999999999999999s", "0x1s", "1s ", "18446744073709551615ms"}) {
    BOOST_CHECK_THROW(upcase::parse_duration(wrong), upcase::bad_value);
  }
  for (const char* text : {"0", "1us", "1500ms", "90s", "2min", "36h", "7d"}) {
    BOOST_TEST(upcase::format_duration(upcase::parse_duration(text)) == text);
  }
}

BOOST_AUTO_TEST_CASE(counts_modes_and_paths) {
  BOOST_TEST(upcase::parse_count("7", 1, 7) == 7U);
  for (const char* wrong : {"", "0", "8", "-1", "1e3", "99999999999999999999"}) {
    BOOST_CHECK_THROW(upcase::parse_count(wrong, 1, 7), upcase::bad_value);
  }
  BOOST_TEST(upcase::parse_mode("0660") == 0660U);
  for (const char* wrong : {"", "8", "1000", "rw", "-1"}) {
    BOOST_CHECK_THROW(upcase::parse_mode(wrong), upcase::bad_value);
  }
  BOOST_TEST(upcase::parse_path("/a/./b/../c//d/").native() == "/a/c/d");
  BOOST_TEST(upcase::parse_path("/").native() == "/");
  BOOST_CHECK_THROW(upcase::parse_path("a/b"), upcase::bad_value);
  // Which could not be written in a configuration file, and so not printed.
  for (const char* wrong : {"", "/a\nb", "/a\t", "/a ", "/a\x7f"}) {
    BOOST_CHECK_THROW(upcase::parse_path(wrong), upcase::bad_value);
  }
  BOOST_TEST(upcase::parse_path("/a b").native() == "/a b");
}

BOOST_AUTO_TEST_CASE(every_path_is_printed_as_it_is_read) {
  constexpr std::array<std::string_view, 11> pieces{"/", " ",  "a",    ".",        "\t", "#",
                                                    "=", "\"", "\xff", "\xc2\x9b", "\\"};
  constexpr std::size_t longest = 5;
  constexpr std::size_t all = 161'051;  // 11 to the 5th
  std::size_t taken = 0;
  std::size_t changed = 0;
  for (std::size_t number = 0; number < all; ++number) {
    std::string text = "/";
    for (std::size_t i = 0, rest = number; i < longest; ++i, rest /= pieces.size()) {
      text += pieces[rest % pieces.size()];
    }
    upcase::settings value;
    try {
      value.client_directories = {upcase::parse_path(text)};
    } catch (const upcase::bad_value&) {
      continue;
    }
    ++taken;
    std::vector<std::string> problems;
    const auto key = upcase::find_setting("client-directory");
    const auto lines = upcase::parse_settings_text(
        "client-directory = " + key->print(value).at(0) + '\n', "f", problems);
    changed += problems.empty() && lines.size() == 1 &&
                       upcase::parse_path(lines[0].value) == value.client_directories[0]
                   ? 0U
                   : 1U;
  }
  BOOST_TEST(taken > 1000U);
  BOOST_TEST(changed == 0U);
  BOOST_CHECK_THROW(upcase::parse_path("/a /"), upcase::bad_value);
  BOOST_CHECK_THROW(upcase::parse_path("/a /b/.."), upcase::bad_value);
}

BOOST_AUTO_TEST_CASE(negative_values_have_a_sentence_of_their_own) {
  const auto negative = [](const upcase::bad_value& error) {
    return std::string_view(error.what()) == "cannot be negative";
  };
  BOOST_CHECK_EXCEPTION(upcase::parse_duration("-1s"), upcase::bad_value, negative);
  BOOST_CHECK_EXCEPTION(upcase::parse_count("-1", 0, 7), upcase::bad_value, negative);
}

BOOST_AUTO_TEST_CASE(users_and_groups) {
  BOOST_TEST(upcase::parse_user("root") == 0U);
  BOOST_TEST(upcase::parse_group("root") == 0U);
  BOOST_TEST(upcase::parse_user("4294967294") == 4294967294U);
  BOOST_TEST(upcase::format_user(0) == "root");
  BOOST_TEST(upcase::format_user(4242424) == "4242424");
  for (const char* wrong : {"", "-1", "4294967295", "no such user"}) {
    BOOST_CHECK_THROW(upcase::parse_user(wrong), upcase::bad_value);
    BOOST_CHECK_THROW(upcase::parse_group(wrong), upcase::bad_value);
  }
}

BOOST_AUTO_TEST_CASE(every_key_prints_what_it_reads) {
  const auto defaults = upcase::default_settings("/run/x");
  for (const auto& key : upcase::setting_keys()) {
    auto copy = defaults;
    const auto texts = key.print(defaults);
    if (key.repeatable()) {
      key.clear(copy);
    }
    for (const auto& text : texts) {
      key.set(copy, text);
    }
    BOOST_TEST(upcase::print_settings(copy) == upcase::print_settings(defaults));
  }
  BOOST_TEST(upcase::nearest_setting("alow-user") == "allow-user");
  BOOST_TEST(upcase::nearest_setting("something-else-entirely") == "");
}

BOOST_AUTO_TEST_CASE(what_is_out_of_range_is_refused) {
  const auto refuses = [](std::string_view name, std::string_view text) {
    upcase::settings value;
    try {
      upcase::find_setting(name)->set(value, text);
      return false;
    } catch (const upcase::bad_value&) {
      return true;
    }
  };
  BOOST_TEST(refuses("threads", "0"));
  BOOST_TEST(!refuses("threads", "1"));
  BOOST_TEST(!refuses("threads", "64"));
  BOOST_TEST(refuses("threads", "65"));
  BOOST_TEST(!refuses("threads", "auto"));
  BOOST_TEST(!refuses("busy-poll", "10ms"));
  BOOST_TEST(refuses("busy-poll", "10001us"));
  BOOST_TEST(refuses("backlog", "0"));
  BOOST_TEST(refuses("max-clients", "0"));
  BOOST_TEST(!refuses("max-clients-per-user", "0"));
}

BOOST_AUTO_TEST_CASE(clients_get_the_descriptors_that_nothing_else_needs) {
  upcase::settings value;
  value.client_directories = {"/a"};
  const std::size_t reserved = upcase::reserved_descriptors(value);
  BOOST_TEST(upcase::clients_that_fit(reserved + 7, value) == 7U);
  for (const std::size_t too_few : {std::size_t{0}, reserved - 1, reserved}) {
    BOOST_TEST(upcase::clients_that_fit(too_few, value) == 1U);
  }
  value.threads = 3;  // two further loops
  BOOST_TEST(upcase::reserved_descriptors(value) == reserved + 6);
  value.client_directories.emplace_back("/b");
  BOOST_TEST(upcase::reserved_descriptors(value) == reserved + 8);
  value.threads = 1;
  value.client_directories.clear();
  BOOST_TEST(upcase::reserved_descriptors(value) == 30U);
}

BOOST_AUTO_TEST_CASE(escapes) {
  BOOST_TEST(upcase::escape("/run/x-1_y.sock") == "/run/x-1_y.sock");
  BOOST_TEST(upcase::escape("") == "\"\"");
  BOOST_TEST(upcase::escape("two words") == "\"two words\"");
  BOOST_TEST(upcase::escape("a\"b\\c") == "\"a\\\"b\\\\c\"");
  BOOST_TEST(upcase::printable("'\xc2\x9b' in a \"x\\y\": no\n") ==
             "'\\xc2\\x9b' in a \"x\\y\": no\\x0a");
  BOOST_TEST(upcase::escape("\n\x1b\x7f\xff") == "\"\\x0a\\x1b\\x7f\\xff\"");
}

BOOST_AUTO_TEST_CASE(lines_are_counted_a_user_and_a_period) {
  constexpr std::size_t lines = 5;
  upcase::line_limit limit(lines, 100);
  const upcase::line_limit::clock::time_point begin{};
  const auto end = begin + upcase::line_limit::period;
  for (std::size_t i = 0; i < lines; ++i) {
    BOOST_TEST(limit.admit(1, begin));
  }
  BOOST_TEST(!limit.admit(1, begin));
  BOOST_TEST(!limit.admit(1, begin));
  BOOST_TEST(limit.admit(2, begin));
  BOOST_TEST((limit.next_end() == end));
  BOOST_TEST(limit.take_ended(end - 1s).empty());
  const auto ended = limit.take_ended(end);
  BOOST_REQUIRE(ended.size() == 1U);
  BOOST_TEST(ended[0].uid == 1U);
  BOOST_TEST(ended[0].suppressed == 2U);
  BOOST_TEST(limit.admit(1, end));
  BOOST_TEST(limit.take_ended(end).empty());
  for (uid_t uid = 0; uid < 2 * upcase::line_limit::most_users; ++uid) {
    limit.admit(uid, end);
  }
  const auto flood = limit.take_ended(end + upcase::line_limit::period);
  BOOST_REQUIRE(flood.size() == 1U);
  BOOST_TEST(flood[0].uid == upcase::line_limit::others);
}

BOOST_AUTO_TEST_CASE(the_first_line_of_each_kind_is_written) {
  constexpr std::size_t in_all = 20;
  upcase::line_limit limit(2, in_all);
  const upcase::line_limit::clock::time_point begin{};
  const auto end = begin + upcase::line_limit::period;
  const auto written = [&](unsigned kind, std::size_t tries, auto now) {
    std::size_t result = 0;
    for (std::size_t i = 0; i < tries; ++i) {
      result += limit.admit(1, now, kind) ? 1 : 0;
    }
    return result;
  };
  BOOST_TEST(written(1, 10, begin) == 2U);
  BOOST_TEST(written(2, 10, begin) == 1U);
  BOOST_TEST(written(31, 10, begin) == 1U);
  BOOST_TEST(written(1, 10, begin) == 0U);
  const auto told = limit.take_ended(end);
  BOOST_REQUIRE(told.size() == 1U);
  BOOST_TEST(told[0].suppressed == 36U);
  BOOST_TEST(written(2, 10, end) == 2U);
  // The limit of all lines holds for kinds too: a user has half of it.
  std::size_t all = 2;
  for (unsigned kind = 0; kind < upcase::line_limit::most_kinds; ++kind) {
    all += written(kind, 10, end);
  }
  BOOST_TEST(all > 2U);
  BOOST_TEST(all <= in_all / 2);
}

BOOST_AUTO_TEST_CASE(lines_of_all_users_are_limited) {
  constexpr std::size_t in_all = 300;
  upcase::line_limit limit(5, in_all);
  const upcase::line_limit::clock::time_point begin{};
  const auto end = begin + upcase::line_limit::period;
  // As many uids as one user may have by /etc/subuid, twice, in two blocks.
  const auto flood = [&](uid_t first, upcase::line_limit::clock::time_point now) {
    std::size_t written = 0;
    for (uid_t uid = first; uid < first + 65536; ++uid) {
      for (int i = 0; i < 7; ++i) {
        written += limit.admit(uid, now) ? 1 : 0;
      }
    }
    return written;
  };
  const std::size_t first = flood(65536, begin);
  const std::size_t second = flood(131072, begin);
  BOOST_TEST(first > in_all / 4);
  BOOST_TEST(first <= in_all / 2);
  BOOST_TEST(second > in_all / 8);
  BOOST_TEST(second <= in_all / 3);
  // And still others have their first lines, and reports of their own.
  for (uid_t uid = 1000; uid < 1003; ++uid) {
    for (int i = 0; i < 6; ++i) {
      BOOST_TEST(limit.admit(uid, begin) == (i < 5));
    }
  }
  const auto told = limit.take_ended(end);
  BOOST_TEST(first + second + 15 + told.size() <= in_all + 1);
  std::size_t suppressed = 0;
  std::size_t alone = 0;
  for (const auto& [uid, count] : told) {
    suppressed += count;
    alone += uid >= 1000 && uid < 1003 && count == 1 ? 1U : 0U;
  }
  BOOST_TEST(alone == 3U);
  BOOST_TEST(suppressed == 2 * 7 * 65536 - first - second + 3);
  BOOST_TEST(told.back().uid == upcase::line_limit::others);
  // All of it is free again.
  BOOST_TEST(!limit.next_end().has_value());
  BOOST_TEST(flood(65536, end) == first);
  BOOST_TEST(!limit.take_ended(upcase::line_limit::clock::time_point::max()).empty());
  BOOST_TEST(flood(65536, end + 1s) == first);
}

BOOST_AUTO_TEST_CASE(who_is_counted_together_is_told_once_a_period) {
  upcase::line_limit limit(1, 2);
  upcase::line_limit::clock::time_point now{};
  std::size_t reports = 0;
  std::size_t suppressed = 0;
  for (uid_t uid = 0; uid < 1000; ++uid, now += 100ms) {
    for (const auto& each : limit.take_ended(now)) {
      BOOST_TEST(each.uid == upcase::line_limit::others);
      ++reports;
      suppressed += each.suppressed;
    }
    BOOST_TEST(limit.admit(uid, now) == (uid % 100 == 0));
  }
  BOOST_TEST(reports <= 10U);
  for (const auto& each : limit.take_ended(upcase::line_limit::clock::time_point::max())) {
    suppressed += each.suppressed;
  }
  BOOST_TEST(suppressed == 990U);
}

BOOST_AUTO_TEST_CASE(whoever_is_counted_together_has_a_report_to_come) {
  upcase::line_limit limit(1, 1);
  const upcase::line_limit::clock::time_point begin{};
  constexpr auto period = upcase::line_limit::period;
  BOOST_TEST(limit.admit(1, begin));
  BOOST_TEST(!limit.admit(2, begin));
  BOOST_TEST(!limit.admit(3, begin + 1s));
  BOOST_TEST(limit.take_ended(begin + period).size() == 1U);
  // Told a moment ago: the next one is told a period later.
  BOOST_TEST(limit.take_ended(begin + period + 1s).empty());
  BOOST_TEST((limit.next_end() == begin + 2 * period));
  const auto told = limit.take_ended(begin + 2 * period);
  BOOST_REQUIRE(told.size() == 1U);
  BOOST_TEST(told[0].uid == upcase::line_limit::others);
  BOOST_TEST(told[0].suppressed == 1U);
}

BOOST_AUTO_TEST_CASE(errors_that_pass_are_no_fault_of_a_client) {
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    BOOST_TEST(upcase::is_shortage(error));
  }
  for (const int error : {0, EAGAIN, ECONNABORTED, EPERM, EINVAL}) {
    BOOST_TEST(!upcase::is_shortage(error));
  }
}

BOOST_AUTO_TEST_CASE(back_off_doubles_up_to_a_second) {
  upcase::accept_backoff backoff;
  BOOST_TEST(!backoff.active());
  BOOST_TEST((backoff.next() == 50ms));
  BOOST_TEST(backoff.active());
  BOOST_TEST((backoff.next() == 100ms));
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(backoff.next());
  }
  BOOST_TEST((backoff.next() == 1000ms));
  backoff.succeeded();
  BOOST_TEST(!backoff.active());
  BOOST_TEST((backoff.next() == 50ms));
}

BOOST_AUTO_TEST_CASE(settings_by_number_ask_no_name_service) {
  upcase::settings value = upcase::default_settings("/run/upcased");
  value.access = {
      .allow_users = {0, 4711}, .allow_groups = {0}, .deny_users = {1}, .deny_groups = {2}};
  const std::string text = upcase::print_settings(value, upcase::users_by::number);
  for (const char* line : {"allow-user = 0\n", "allow-user = 4711\n", "allow-group = 0\n",
                           "deny-user = 1\n", "deny-group = 2\n"}) {
    BOOST_TEST(text.find(line) != std::string::npos);
  }
  BOOST_TEST(upcase::print_settings(value).find("allow-user = root\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
