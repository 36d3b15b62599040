// line_limit: a client may come, or be refused, a thousand times a second; the
// log must neither drown in it nor hide it.
//
// Each user's first few lines in a period are written, the rest counted, and
// the count is told when the period ends. Users are kept apart, so that one who
// floods does not hide another's; there is room for so many users, and those
// beyond share one account.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <sys/types.h>
#include <unordered_map>
#include <vector>

namespace upcase {

/// Pure: the caller brings the time. Not thread-safe.
class line_limit {
 public:
  using clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds period{10};
  static constexpr std::size_t most_users = 1024;

  /// Everybody beyond `most_users`.
  static constexpr uid_t others = static_cast<uid_t>(-1);

  struct report {
    uid_t uid;
    std::size_t suppressed;
  };

  /// So many lines a user and a period.
  explicit line_limit(std::size_t lines) noexcept : lines_(lines) {}

  /// Whether this line is to be written.
  bool admit(uid_t uid, clock::time_point now);

  /// The counts of periods that are over, which are forgotten with this.
  std::vector<report> take_ended(clock::time_point now);

  /// When to ask `take_ended` next; nothing while there is nothing to end.
  [[nodiscard]] std::optional<clock::time_point> next_end() const;

 private:
  struct account {
    clock::time_point ends;
    std::size_t seen = 0;
  };
  std::size_t lines_;
  std::unordered_map<uid_t, account> accounts_;
};

}  // namespace upcase
