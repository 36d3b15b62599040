// log: the line of an event, the threshold, and the words for each verdict.

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <upcase/log.hpp>
#include <upcase/stream.hpp>
#include <upcase/verdict.hpp>
#include <vector>

namespace {

class memory_log final : public upcase::log {
 public:
  std::vector<std::string> lines;

 private:
  void do_write(upcase::log_level /*level*/, upcase::event what,
                upcase::log_fields fields) override {
    lines.push_back(upcase::format_event(what, fields));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(events)

BOOST_AUTO_TEST_CASE(an_event_is_a_word_and_its_fields) {
  memory_log log;
  log.write(upcase::log_level::info, upcase::event::allow,
            {{"client", 7}, {"path", "/run/x y"}, {"empty", ""}});
  BOOST_REQUIRE(log.lines.size() == 1U);
  BOOST_TEST(log.lines[0] == "allow client=7 path=\"/run/x y\" empty=\"\"");
}

BOOST_AUTO_TEST_CASE(what_weighs_less_than_the_threshold_is_not_written) {
  memory_log log;
  log.set_threshold(upcase::log_level::warning);
  log.write(upcase::log_level::info, upcase::event::end, {});
  log.write(upcase::log_level::warning, upcase::event::deny, {});
  log.write(upcase::log_level::error, upcase::event::status, {});
  BOOST_TEST(log.lines == (std::vector<std::string>{"deny", "status"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_verdict_has_a_word_and_a_reason_of_its_own) {
  std::set<std::string_view> words;
  std::set<std::string_view> reasons;
  constexpr auto last = static_cast<int>(upcase::verdict::over_quota);
  for (int i = 0; i <= last; ++i) {
    const auto why = static_cast<upcase::verdict>(i);
    words.insert(upcase::to_string(why));
    reasons.insert(upcase::explain(why));
  }
  BOOST_TEST(words.size() == static_cast<std::size_t>(last + 1));
  BOOST_TEST(reasons.size() == static_cast<std::size_t>(last + 1));
}

BOOST_AUTO_TEST_CASE(every_end_has_a_word_of_its_own) {
  std::set<std::string_view> words;
  constexpr auto last = static_cast<int>(upcase::end_reason::failed);
  for (int i = 0; i <= last; ++i) {
    words.insert(upcase::to_string(static_cast<upcase::end_reason>(i)));
  }
  BOOST_TEST(words.size() == static_cast<std::size_t>(last + 1));
}

BOOST_AUTO_TEST_SUITE_END()
