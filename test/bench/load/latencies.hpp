// latencies: counts round trips by how long they took.
//
// Log-linear buckets (as HdrHistogram's): 64 to each doubling, so a percentile
// is exact to 1.6 %, and recording is a few instructions.

#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bench {

class latencies {
 public:
  void record(std::chrono::nanoseconds taken) noexcept {
    ++counts_[bucket(static_cast<std::uint64_t>(taken.count()))];
    ++total_;
  }

  void clear() noexcept { *this = {}; }

  /// In nanoseconds; `share` from 0 to 1.
  [[nodiscard]] double percentile(double share) const noexcept {
    const auto wanted = share * static_cast<double>(total_);
    std::uint64_t seen = 0;
    std::size_t i = 0;
    while (i + 1 < buckets) {
      seen += counts_[i];
      if (static_cast<double>(seen) >= wanted) {
        break;
      }
      ++i;
    }
    return middle(i);
  }

 private:
  static constexpr unsigned linear_bits = 6;
  static constexpr std::size_t linear = std::size_t{1} << linear_bits;
  static constexpr std::size_t buckets = linear * (64 - linear_bits + 1);

  // The highest set bit and the six below it.
  static std::size_t bucket(std::uint64_t value) noexcept {
    if (value < linear) {
      return value;
    }
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - linear_bits;
    return linear * shift + (value >> shift);
  }

  static double middle(std::size_t index) noexcept {
    if (index < 2 * linear) {
      return static_cast<double>(index);
    }
    const std::size_t shift = index / linear - 1;
    const auto width = static_cast<double>(std::uint64_t{1} << shift);
    return (static_cast<double>(index - linear * shift) + 0.5) * width;
  }

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace bench
