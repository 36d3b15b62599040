// journal: the native protocol as journald reads it, a journal that does not
// read at all, and the catalogue that explains every kind of message.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <upcase/journal_log.hpp>
#include <upcase/message_id.hpp>
#include <upcase/system_calls.hpp>
#include <upcase/verdict.hpp>

#include "support/datagram_inbox.hpp"
#include "support/temporary_directory.hpp"

namespace {

using upcase::event;
using upcase::log_level;
using fields = std::map<std::string, std::string>;

// The protocol's binary form, as journald takes it apart.
fields parse(const std::string& datagram) {
  fields result;
  for (std::size_t at = 0; at < datagram.size();) {
    const std::size_t end = datagram.find('\n', at);
    BOOST_REQUIRE(end != std::string::npos);
    const std::string name = datagram.substr(at, end - at);
    BOOST_REQUIRE(datagram.size() >= end + 9);
    std::uint64_t size = 0;
    for (std::size_t i = 8; i > 0; --i) {
      size = size << 8U | static_cast<unsigned char>(datagram[end + i]);
    }
    BOOST_REQUIRE(datagram.size() > end + 9 + size);
    BOOST_TEST(datagram[end + 9 + size] == '\n');
    BOOST_TEST(result.emplace(name, datagram.substr(end + 9, size)).second, "twice: " << name);
    at = end + 9 + size + 1;
  }
  return result;
}

std::string catalogue() { return test::read_file(UPCASE_CATALOGUE); }

// "-- ID" at the beginning of a line opens an entry.
std::multiset<std::string> catalogue_ids() {
  std::multiset<std::string> ids;
  std::istringstream lines(catalogue());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("-- ")) {
      ids.insert(line.substr(3));
    }
  }
  return ids;
}

struct fixture {
  test::temporary_directory place;
  test::datagram_inbox journald{place.path() / "journal"};
  upcase::journal_log log{place.path() / "journal"};

  fields next() { return parse(journald.next().value_or("")); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(journal, fixture)

BOOST_AUTO_TEST_CASE(a_refusal_can_be_filtered_by_who_and_why) {
  log.write(log_level::warning, event::deny,
            {{"uid", 1000}, {"pid", 4242}, {"verdict", "mode"}, {"path", "/run/x y"}});
  const fields expected{{"PRIORITY", "4"},
                        {"SYSLOG_IDENTIFIER", "test-unit"},
                        {"MESSAGE_ID", "4f2d566c56ec4dd0a2fb639889f7e12b"},
                        {"UPCASED_EVENT", "deny"},
                        {"UPCASED_CLIENT_UID", "1000"},
                        {"UPCASED_CLIENT_PID", "4242"},
                        {"UPCASED_VERDICT", "mode"},
                        {"UPCASED_CLIENT_PATH", "/run/x y"},
                        {"MESSAGE", "deny uid=1000 pid=4242 verdict=mode path=\"/run/x y\""}};
  BOOST_TEST((next() == expected));
}

// By the filters that find the lines which it stands for.
BOOST_AUTO_TEST_CASE(what_is_only_counted_is_found_by_the_same_fields) {
  log.write(log_level::warning, event::deny, {{"uid", 1000}, {"refusals-not-logged", 7}});
  const fields refusals = next();
  BOOST_TEST(refusals.at("UPCASED_EVENT") == "deny");
  BOOST_TEST(refusals.at("UPCASED_CLIENT_UID") == "1000");
  BOOST_TEST(refusals.at("UPCASED_REFUSALS_NOT_LOGGED") == "7");
  log.write(log_level::warning, event::allow, {{"uid", 1000}, {"clients-not-logged", 7}});
  const fields clients = next();
  BOOST_TEST(clients.at("UPCASED_CLIENTS_NOT_LOGGED") == "7");
  const std::set<std::string> ids{refusals.at("MESSAGE_ID"), clients.at("MESSAGE_ID"),
                                  std::string(upcase::message_id(event::deny, {})),
                                  std::string(upcase::message_id(event::allow, {}))};
  BOOST_TEST(ids.size() == 4U);
}

BOOST_AUTO_TEST_CASE(the_daemons_own_fields_are_not_a_clients) {
  log.write(log_level::info, event::status, {{"pid", 7}, {"max-clients", 9}});
  const fields got = next();
  BOOST_TEST(got.at("UPCASED_PID") == "7");
  BOOST_TEST(got.at("UPCASED_MAX_CLIENTS") == "9");
  BOOST_TEST(got.at("PRIORITY") == "6");
}

BOOST_AUTO_TEST_CASE(no_byte_of_a_path_forges_a_field) {
  const std::string path = "/run/x\nPRIORITY=0\nMESSAGE\n\x01\xff\x1b[2J";
  log.write(log_level::warning, event::deny, {{"path", path}});
  const fields got = next();
  BOOST_TEST(got.at("UPCASED_CLIENT_PATH") == path);
  BOOST_TEST(got.at("PRIORITY") == "4");
  BOOST_TEST(got.at("MESSAGE") ==
             "deny path=\"/run/x\\x0aPRIORITY=0\\x0aMESSAGE\\x0a\\x01\\xff\\x1b[2J\"");
}

BOOST_AUTO_TEST_CASE(a_journal_that_does_not_read_stops_nobody) {
  constexpr std::size_t written = 20000;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < written; ++i) {
    log.write(log_level::info, event::end, {{"client", i}});
  }
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(10)));
  std::size_t taken = 0;
  while (journald.next(std::chrono::milliseconds(0))) {
    ++taken;
  }
  BOOST_TEST(taken > 0U);
  BOOST_TEST(taken < written);
  log.write(log_level::info, event::end, {});
  const fields got = next();
  BOOST_TEST(got.at("UPCASED_DROPPED_LINES") == std::to_string(written - taken));
  BOOST_TEST(got.at("MESSAGE") == "end dropped-lines=" + std::to_string(written - taken));
  log.write(log_level::info, event::end, {});
  BOOST_TEST(next().count("UPCASED_DROPPED_LINES") == 0U);
}

BOOST_AUTO_TEST_CASE(a_journal_that_is_away_is_found_again) {
  const auto path = place.path() / "restarted";
  upcase::journal_log patient(path);
  patient.write(log_level::info, event::end, {{"client", 1}});
  test::datagram_inbox restarted(path);
  patient.write(log_level::info, event::end, {{"client", 2}});
  BOOST_TEST(parse(restarted.next().value_or("")).at("MESSAGE") == "end client=2 dropped-lines=1");
}

BOOST_AUTO_TEST_CASE(every_kind_has_an_id_of_its_own_and_an_entry) {
  std::multiset<std::string> ids;
  for (const upcase::message_kind& kind : upcase::message_kinds()) {
    BOOST_TEST(kind.id.size() == 32U);
    BOOST_TEST(kind.id.find_first_not_of("0123456789abcdef") == std::string_view::npos);
    BOOST_TEST(ids.count(std::string(kind.id)) == 0U);
    ids.emplace(kind.id);
  }
  BOOST_TEST((ids == catalogue_ids()));
}

BOOST_AUTO_TEST_CASE(every_verdict_has_an_id_of_its_own) {
  std::set<std::string_view> ids{upcase::message_id(event::deny, {})};
  constexpr auto last = static_cast<int>(upcase::verdict::over_quota);
  for (int i = 1; i <= last; ++i) {
    const auto word = upcase::to_string(static_cast<upcase::verdict>(i));
    ids.insert(upcase::message_id(event::deny, {{"verdict", word}}));
  }
  BOOST_TEST(ids.size() == static_cast<std::size_t>(last + 1));
}

BOOST_AUTO_TEST_CASE(every_event_has_an_id_whatever_its_fields) {
  std::set<std::string_view> ids;
  for (const event each : {event::allow, event::deny, event::end, event::status}) {
    ids.insert(upcase::message_id(each, {}));
    // What makes a difference to a refusal makes none to others.
    ids.insert(upcase::message_id(each, {{"verdict", "mode"}}));
  }
  BOOST_TEST(ids.size() == 5U);
}

BOOST_AUTO_TEST_CASE(the_catalogue_shows_no_bytes_of_a_clients) {
  BOOST_TEST((catalogue().find("@UPCASED_CLIENT_PATH@") == std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()
