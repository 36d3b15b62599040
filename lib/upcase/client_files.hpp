// client_files: clients' socket files, examined and removed on threads that may
// wait for a file system, as the one that accepts may not (credentials.hpp).
//
// A client of whose file the kernel has nothing cached waits here while the file is
// examined. How many may wait is bounded, and how many of one user, so that a user
// who holds up examinations does not use up everybody's. The files of those who are
// in are removed here, in a bounded queue, too; what finds no place in it stays where
// it is, and ages away (tmpfiles.d).

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <sys/types.h>
#include <upcase/acceptor.hpp>
#include <upcase/blocking_pool.hpp>
#include <upcase/credentials.hpp>
#include <upcase/doorbell.hpp>
#include <vector>

namespace upcase {

/// Belongs to the thread that runs `context`.
class client_files {
 public:
  static constexpr std::size_t most_waiting = 256;
  static constexpr std::size_t most_waiting_of_a_user = 32;
  static constexpr std::size_t most_removals = 4096;

  /// `bell` is rung, from another thread, whenever `take` has something. It outlives
  /// this object.
  client_files(boost::asio::io_context& context, const doorbell& bell);
  client_files(const client_files&) = delete;
  client_files& operator=(const client_files&) = delete;

  /// As `give_up`. Gives what is under way a second each; what takes longer goes on,
  /// and nobody hears of it.
  ~client_files();

  /// Takes `who` over and has its file examined by `policy`. False if too many wait
  /// already, or if there is no thread for it; then `who` is unchanged, as it is when
  /// this throws std::bad_alloc.
  [[nodiscard]] bool examine(newcomer& who, const finding& found, const credential_policy& policy);

  struct examined {
    newcomer who;
    finding found;
    bool outdated;  ///< `outdate` has been called since: the check is to be made anew
  };

  /// One whose file has been examined, if any.
  std::optional<examined> take() noexcept;

  /// How many clients wait.
  [[nodiscard]] std::size_t waiting() const noexcept;

  /// How many of one user's, those that were given up included.
  [[nodiscard]] std::size_t waiting_of(uid_t uid) const noexcept;

  /// The policy, or where client directories lie, has changed.
  void outdate() noexcept;

  /// Closes the connections of all who wait. Their examinations count against the
  /// bounds until they end.
  void give_up() noexcept;

  /// Has the file of a client that passed removed.
  void remove(const finding& passed) noexcept;

  /// Calls `next` once nothing is under way, but after a second in any case; at once
  /// if possible. To be called again only after that.
  void when_quiet(std::function<void()> next);

 private:
  struct check;
  struct link;

  [[nodiscard]] bool has_room(uid_t uid) const noexcept;
  void wait_for_quiet(std::function<void()> next, std::chrono::steady_clock::time_point latest);

  boost::asio::steady_timer timer_;  // for the next look at what is under way
  std::shared_ptr<link> link_;
  std::vector<std::shared_ptr<check>> checks_;
  blocking_pool examinations_;
  blocking_pool removals_;
};

}  // namespace upcase
