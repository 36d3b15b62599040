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
#include <string_view>
#include <upcase/access.hpp>
#include <upcase/event_loop.hpp>
#include <upcase/log.hpp>
#include <upcase/session.hpp>
#include <utility>
#include <vector>

namespace upcase {

/// Its sessions belong to the thread in `run`. Any thread may call what is said
/// to be for any, and `post` the rest.
class worker final : public session_owner {
 public:
  /// What a worker is given by its server; all of it outlives the worker.
  struct surroundings {
    const handler& serve;
    log& journal;
    std::function<void()> client_gone;                     ///< called on any thread; must not throw
    const std::atomic<std::ptrdiff_t>& spare_descriptors;  ///< see event_loop
  };

  /// Throws std::system_error where descriptors are missing.
  worker(surroundings around, stream_timeouts timeouts);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker();

  /// Serves until `stop`, on the thread that calls it. `spin` as for
  /// event_loop::run.
  void run(duration spin) { loop_.run(spin); }

  /// Lets `run` return. Any thread.
  void stop() noexcept { loop_.stop(); }

  /// How many it has, those that are on their way included. Any thread.
  [[nodiscard]] std::size_t clients() const noexcept { return clients_; }

  /// Calls `action` with this worker, on its thread. Any thread.
  template <typename Action>
  void post(Action action) {
    loop_.post([this, action = std::move(action)] { action(*this); });
  }

  /// Counts a client at once, so that the next one is not sent after it, and
  /// serves it on the worker's thread. Any thread.
  void take(admitted_client client) noexcept;

  /// After a reload: ends the clients that the rules or the quota no longer
  /// allow (of a user's here, the newest first), and applies the timeouts to the rest.
  void reconsider(const access_rules& rules, stream_timeouts timeouts) noexcept;

  /// Every client's bytes that are here by now are answered, then it ends; so it
  /// is with clients that are still to come.
  void drain() noexcept;

  /// Gives every client up for another process to go on with.
  [[nodiscard]] std::vector<admitted_client> release();

  /// Ends every client now.
  void abort(end_reason why);

 private:
  void serve(admitted_client client) noexcept;
  void session_over(session& over) noexcept override;
  end_reason judge(session& client, const access_rules& rules) noexcept;
  void tell_end(const session& over) const noexcept;
  void fail_client(std::uint64_t id, std::string_view why) noexcept;
  void drop_client() noexcept;

  surroundings around_;
  event_loop loop_;
  boost::intrusive::list<session, boost::intrusive::constant_time_size<false>> sessions_;
  std::atomic<std::size_t> clients_ = 0;
  bool draining_ = false;
};

}  // namespace upcase
