// worker: the sessions of one event loop.
//
// Each worker has its own clients, buffer and timers, and shares nothing with
// the others while bytes move. The server hands it clients and tells it of
// reloads and stops; it tells the server when a client is gone.

#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <upcase/access.hpp>
#include <upcase/event_loop.hpp>
#include <upcase/log.hpp>
#include <upcase/mailbox.hpp>
#include <upcase/session.hpp>
#include <utility>
#include <vector>

namespace upcase {

/// Its sessions belong to the thread in `run`, where everything happens that any
/// thread may ask for.
class worker final : public session_owner {
 public:
  /// What a worker is given by its server; all of it outlives the worker.
  struct surroundings {
    const handler& serve;
    log& journal;
    const std::atomic<std::ptrdiff_t>& spare_descriptors;  ///< see event_loop
    // Called on any thread; must not throw:
    std::function<void()> client_gone;
    std::function<void()> released;  ///< what `release` asked for is done
    std::function<void()> answered;  ///< likewise `ping`
  };

  /// On which clients may stay.
  struct conditions {
    access_rules rules;
    stream_timeouts timeouts;
  };

  /// Throws std::system_error where descriptors are missing.
  worker(surroundings around, stream_timeouts timeouts);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker();

  /// Serves until `stop`, on the thread that calls it. `busy_poll` as for
  /// event_loop::run.
  void run(std::optional<duration> busy_poll) { loop_.run(busy_poll); }

  /// Lets `run` return. Any thread.
  void stop() noexcept { loop_.stop(); }

  /// How many it has, those that are on their way included. Any thread.
  [[nodiscard]] std::size_t clients() const noexcept { return clients_; }

  /// Counts a client at once, so that the next one is not sent after it, and
  /// serves it on the worker's thread. If it was admitted on other conditions than
  /// those given last, it is asked about again. Any thread.
  void take(admitted_client client, std::shared_ptr<const conditions> admitted_on) noexcept;

  /// After a reload: ends the clients that the rules or the quota no longer
  /// allow (of a user's here, the newest first), and applies the timeouts to the
  /// rest. The last one given counts. Any thread.
  void reconsider(std::shared_ptr<const conditions> given) noexcept;

  /// Every client's bytes that are here by now are answered, then it ends; so it
  /// is with clients that are still to come. Any thread.
  void drain() noexcept { loop_.post(drain_); }

  /// Gives every client up for another process to go on with: appends it to
  /// `into`, which has room for `clients` and is not touched until `released` is
  /// called. Any thread.
  void release(std::vector<admitted_client>& into) noexcept;

  /// Ends every client now: the daemon stops. Any thread.
  void abort() noexcept { loop_.post(abort_); }

  /// Calls `answered` when the loop comes round. Any thread.
  void ping() noexcept { loop_.post(answer_); }

 private:
  void serve(admitted_client client, const conditions* admitted_on) noexcept;
  std::shared_ptr<const conditions> given() noexcept;
  void move_pending_out() noexcept;
  void reconsider_all() noexcept;
  void drain_all() noexcept;
  void release_all() noexcept;
  void abort_all() noexcept;
  void session_over(session& over) noexcept override;
  end_reason judge(session& client, const access_rules& rules) noexcept;
  void tell_end(const session& over) const noexcept;
  void fail_client(std::uint64_t id, std::string_view why) noexcept;
  void drop_client() noexcept;

  surroundings around_;
  std::mutex mutex_;
  std::shared_ptr<const conditions> given_;           // under the mutex
  std::vector<admitted_client>* released_ = nullptr;  // where `release` wants them
  // Before the loop, which may still hold them when it is destroyed.
  mailbox::standing_job reconsider_{[this] { reconsider_all(); }};
  mailbox::standing_job drain_{[this] { drain_all(); }};
  mailbox::standing_job release_{[this] { release_all(); }};
  mailbox::standing_job abort_{[this] { abort_all(); }};
  mailbox::standing_job answer_{[this] { around_.answered(); }};
  mailbox::standing_job move_pending_out_{[this] { move_pending_out(); }};
  event_loop loop_;
  boost::intrusive::list<session, boost::intrusive::constant_time_size<false>> sessions_;
  boost::intrusive::list<session, boost::intrusive::base_hook<carrying_hook>,
                         boost::intrusive::constant_time_size<false>>
      carrying_;  // those with output in the record that they came with
  std::atomic<std::size_t> clients_ = 0;
  bool draining_ = false;
};

}  // namespace upcase
