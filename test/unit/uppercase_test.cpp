// uppercase: every byte value, at every place that the vector code treats
// differently, against the C library.

#include <boost/test/unit_test.hpp>
#include <string>
#include <upcase/uppercase.hpp>

#include "support/client.hpp"

BOOST_AUTO_TEST_SUITE(uppercase)

BOOST_AUTO_TEST_CASE(every_byte_at_every_offset) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t length = 1; length <= 35; ++length) {
      std::string text(length, static_cast<char>(byte));
      const std::string expected = test::reference_uppercase(text);
      upcase::uppercase(text);
      BOOST_REQUIRE_EQUAL(text, expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(random_text_at_every_alignment) {
  const std::string original = test::random_bytes(4096);
  for (std::size_t offset = 0; offset < 64; ++offset) {
    std::string text = original;
    upcase::uppercase(std::span(text).subspan(offset));
    BOOST_REQUIRE_EQUAL(
        text, original.substr(0, offset) + test::reference_uppercase(original.substr(offset)));
  }
}

BOOST_AUTO_TEST_CASE(nothing_touches_nothing) {
  std::string around = "abab";
  upcase::uppercase(std::span(around).subspan(2, 0));
  BOOST_TEST(around == "abab");
}

BOOST_AUTO_TEST_SUITE_END()
