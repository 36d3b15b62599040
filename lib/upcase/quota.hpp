// quota: how many connections one user may hold.
//
// A connection holds a charge for as long as it lives; the charge gives
// itself back. Event loops on several threads share one quota, so it locks:
// once when a client comes and once when it goes, never in between.

#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <sys/types.h>
#include <unordered_map>
#include <utility>

namespace upcase {

class quota {
 public:
  /// One connection on one user's account. Move-only; the quota that issued
  /// it must outlive it.
  class charge {
   public:
    charge() noexcept = default;
    charge(charge&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)), uid_(other.uid_) {}
    charge& operator=(charge&& other) noexcept {
      std::swap(from_, other.from_);
      std::swap(uid_, other.uid_);
      return *this;
    }
    charge(const charge&) = delete;
    charge& operator=(const charge&) = delete;
    ~charge();

    /// Gives itself back if its user holds more than the limit, as after that
    /// was lowered; whether it did. One step, so that of several loops that ask
    /// at once each gives up what is too many, and none more.
    bool give_back_excess() noexcept;

   private:
    friend quota;
    charge(quota& from, uid_t uid) noexcept : from_(&from), uid_(uid) {}

    quota* from_ = nullptr;
    uid_t uid_ = 0;
  };

  /// `limit` connections a user; 0 means any number.
  explicit quota(std::size_t limit) noexcept : limit_(limit) {}

  /// Nothing when the user is at the limit.
  std::optional<charge> acquire(uid_t uid);

  /// Regardless of the limit: for a client that is in already, and may have to
  /// give it back as excess.
  charge take(uid_t uid);

  /// For a reload. Lowering it ends nobody here: see `give_back_excess`.
  void set_limit(std::size_t limit);

  [[nodiscard]] std::size_t held_by(uid_t uid) const;

 private:
  using counts = std::unordered_map<uid_t, std::size_t>;

  void give_back(uid_t uid) noexcept;
  bool give_back_excess(uid_t uid) noexcept;
  void drop_one(counts::iterator held) noexcept;

  mutable std::mutex mutex_;
  std::size_t limit_;
  counts held_;  // only users with connections
};

}  // namespace upcase
