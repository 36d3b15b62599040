// pending_output: bytes in order, wherever they lie, and nothing kept for them
// once they are gone.

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <upcase/pending_output.hpp>

namespace {

std::string_view text(const upcase::pending_output& output) {
  return {output.bytes().data(), output.bytes().size()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pending_output)

BOOST_AUTO_TEST_CASE(what_is_carried_stays_where_it_is) {
  const auto record = std::make_shared<const std::string>("CARRIED");
  upcase::pending_output output(*record, record);
  BOOST_TEST(output.bytes().data() == record->data());
  output.consume(3);
  BOOST_TEST(text(output) == "RIED");
  BOOST_TEST(record.use_count() == 2);
  output.consume(4);
  BOOST_TEST(output.empty());
  BOOST_TEST(record.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(no_bytes_keep_no_record) {
  const auto record = std::make_shared<const std::string>("CARRIED");
  const upcase::pending_output output(std::string_view(*record).substr(7), record);
  BOOST_TEST(record.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(it_can_leave_its_record) {
  const auto record = std::make_shared<const std::string>("CARRIED");
  upcase::pending_output output(*record, record);
  output.consume(2);
  output.move_out();
  BOOST_TEST(text(output) == "RRIED");
  BOOST_TEST(record.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(more_comes_behind_it) {
  auto record = std::make_shared<std::string>("CARRIED");
  upcase::pending_output output(*record, record);
  output.consume(3);
  output.append(std::string_view(" AND MORE"));
  BOOST_TEST(record.use_count() == 1);
  record->assign("ELSEWHERE");
  BOOST_TEST(text(output) == "RIED AND MORE");
  output.clear();
  BOOST_TEST(output.empty());
}

BOOST_AUTO_TEST_SUITE_END()
