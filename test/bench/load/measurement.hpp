// measurement: the part of a run that counts, after the warm-up.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "latencies.hpp"
#include "options.hpp"
#include "process_tree.hpp"

namespace bench {

/// Names and numbers, in the order in which they are printed.
using result = std::vector<std::pair<std::string_view, double>>;

using time_point = std::chrono::steady_clock::time_point;

class measurement {
 public:
  explicit measurement(const options& given);

  /// To be asked with the current time, often; the first time begins the
  /// warm-up. `events` is the count so far of whatever is being counted. False
  /// once the time is over.
  bool goes_on(time_point now, std::uint64_t events);

  [[nodiscard]] latencies& round_trips() noexcept { return round_trips_; }

  /// Once it is over. Throws if nothing happened.
  [[nodiscard]] result report() const;

 private:
  struct reading {
    std::uint64_t events = 0;
    std::chrono::nanoseconds server{};
    std::chrono::nanoseconds client{};
    time_point when;
  };

  [[nodiscard]] reading read(std::uint64_t events) const;

  process_tree server_;
  std::chrono::milliseconds time_;
  std::chrono::milliseconds warm_up_;
  std::optional<time_point> warm_;  // from when on things are counted
  bool counting_ = false;
  reading first_;
  reading last_;
  latencies round_trips_;
};

}  // namespace bench
