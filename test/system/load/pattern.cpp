// pattern: splitmix64 (Steele, Lea, Flood 2014), eight bytes a number.

#include "pattern.hpp"

#include <cstddef>

namespace load {
namespace {

std::uint64_t word_at(std::uint64_t client, std::uint64_t index) noexcept {
  constexpr unsigned positions = 40;  // bits; a client never sends 8 TiB
  std::uint64_t z = ((client << positions) + index + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111eb;
  return z ^ (z >> 31U);
}

// Calls visit(i, byte) for each of `count` bytes of the stream.
template <typename Visit>
void walk(std::size_t count, std::uint64_t client, std::uint64_t position, Visit visit) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i, ++position) {
    const std::uint64_t within = position % sizeof word;
    if (i == 0 || within == 0) {
      word = word_at(client, position / sizeof word);
    }
    visit(i, static_cast<char>(word >> (within * 8)));
  }
}

// Not the library's: what is tested does not judge itself.
char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

void fill(std::span<char> bytes, std::uint64_t client, std::uint64_t position) noexcept {
  walk(bytes.size(), client, position, [&](std::size_t i, char byte) { bytes[i] = byte; });
}

std::uint64_t count_wrong(std::span<const char> bytes, std::uint64_t client,
                          std::uint64_t position) noexcept {
  std::uint64_t wrong = 0;
  walk(bytes.size(), client, position,
       [&](std::size_t i, char byte) { wrong += bytes[i] == upper(byte) ? 0 : 1; });
  return wrong;
}

}  // namespace load
