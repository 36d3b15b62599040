// pattern: random bytes, and the C library's opinion of them.

#include "pattern.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <random>

namespace bench {

pattern::pattern() : sent_(period + longest), expected_(period + longest) {
  std::mt19937 random(1);
  std::generate_n(sent_.begin(), period, [&] { return static_cast<char>(random() & 0xff); });
  for (std::size_t i = period; i < sent_.size(); ++i) {
    sent_[i] = sent_[i - period];
  }
  // The C locale holds unless setlocale(3) is called, and nobody does.
  std::ranges::transform(sent_, expected_.begin(), [](char byte) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(byte)));
  });
}

bool pattern::matches(std::uint64_t position, std::span<const char> got) const noexcept {
  return std::memcmp(expected_.data() + position % period, got.data(), got.size()) == 0;
}

}  // namespace bench
