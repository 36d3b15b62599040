// line_limit: a client may come, or be refused, a thousand times a second; the
// log must neither drown in it nor hide it.
//
// Each user's first few lines in a period are written, the rest counted, and
// the count is told when the period ends. Users are kept apart, so that one who
// floods does not hide another's. So are kinds of lines: the first of each kind is
// written even where the user has had its few lines.
//
// One person may have many uids: whoever stands in /etc/subuid has 65,536 in a
// row. So all lines together have a limit too, and all users that are counted one
// by one. A block of 65,536 uids gets no more of either than is still free: one
// block half of it, two a third each, and so on, so that something is left for the
// users of the next, however many a flood has. Those for whom there is no room are
// counted together.

#pragma once

#include <bitset>
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

  /// Everybody who is not counted alone.
  static constexpr uid_t others = static_cast<uid_t>(-1);

  struct report {
    uid_t uid;
    std::size_t suppressed;
  };

  /// So many lines a user and a period, and so many in all. The reports of single
  /// users count among the latter.
  line_limit(std::size_t lines_of_user, std::size_t lines_in_all) noexcept
      : lines_of_user_(lines_of_user), lines_in_all_(lines_in_all) {}

  static constexpr unsigned most_kinds = 32;

  /// Whether this line is to be written. `kind` is less than `most_kinds`.
  bool admit(uid_t uid, clock::time_point now, unsigned kind = 0);

  /// The counts of periods that are over, which are forgotten with this; all of
  /// them at time_point::max().
  std::vector<report> take_ended(clock::time_point now);

  /// When to ask `take_ended` next; nothing while there is nothing to end.
  [[nodiscard]] std::optional<clock::time_point> next_end() const;

 private:
  struct account {
    clock::time_point ends;
    std::size_t written = 0;
    std::size_t suppressed = 0;
    std::bitset<most_kinds> kinds{};  // those of which a line was written
    bool has_report = false;          // one line more
  };
  struct block {
    std::size_t users = 0;
    std::size_t lines = 0;
  };

  static uid_t block_of(uid_t uid) noexcept { return uid >> 16U; }
  account* account_of(uid_t uid, clock::time_point now);
  bool spend_line(uid_t uid, const account& of_user);
  void close(uid_t uid, const account& of_user);

  std::size_t lines_of_user_;
  std::size_t lines_in_all_;
  std::size_t lines_ = 0;  // what the accounts have of them
  std::unordered_map<uid_t, account> accounts_;
  std::unordered_map<uid_t, block> blocks_;  // by block_of
  std::size_t together_ = 0;                 // suppressed, and in no account
  clock::time_point together_ends_{};
};

}  // namespace upcase
