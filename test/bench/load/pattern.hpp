// pattern: what clients send, and what must come back.
//
// A client's stream is one short random sequence, over and over, entered at
// a place of the client's own. A byte that is wrong, lost, doubled or meant for
// somebody else therefore differs from the expected one within a few bytes,
// and a run that happens to fit is missed by the count at the end. The
// sequence is short so that checking costs little more than the comparison.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bench {

class pattern {
 public:
  /// Prime, so that messages of any size drift through it.
  static constexpr std::size_t period = 4099;

  /// The longest run that `sent` and `matches` take.
  static constexpr std::size_t longest = std::size_t{256} * 1024;

  pattern();

  /// Where client number `n` enters.
  [[nodiscard]] static std::uint64_t entry(std::size_t n) noexcept { return n * 1009; }

  /// What a client sends from `position` of its stream on.
  [[nodiscard]] std::span<const char> sent(std::uint64_t position, std::size_t count) const {
    return std::span(sent_).subspan(position % period, count);
  }

  /// Whether `got` is what must come back at `position`.
  [[nodiscard]] bool matches(std::uint64_t position, std::span<const char> got) const noexcept;

 private:
  std::vector<char> sent_;
  std::vector<char> expected_;
};

}  // namespace bench
