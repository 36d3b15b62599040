// worker_pool: the event loops of a server, each a worker on a thread of its own.
//
// A new client goes to the worker that has the fewest. What all of them are asked
// for (to give their clients up, to answer) is over when the last one has done it;
// that is told by ringing a bell, which asks for no memory and cannot fail.

#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <upcase/doorbell.hpp>
#include <upcase/handover_record.hpp>
#include <upcase/log.hpp>
#include <upcase/session.hpp>
#include <upcase/settings.hpp>
#include <upcase/worker.hpp>
#include <vector>

namespace upcase {

/// Belongs to one thread, which is none of its workers'.
class worker_pool {
 public:
  /// What a pool is given by its server; all of it outlives the pool.
  struct surroundings {
    const handler& serve;  ///< called on every worker's thread
    log& journal;
    const doorbell& news;               ///< rung when `released` or `answered` becomes true
    std::function<void()> client_gone;  ///< called on any thread; must not throw
  };

  /// Starts `settings::threads` threads, which wait for `start`. Where threads or
  /// descriptors are missing, it does with fewer and says so; without any it throws
  /// std::system_error.
  worker_pool(surroundings around, const settings& config);
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  /// Ends the threads, and with them whatever clients are left.
  ~worker_pool();

  /// Lets the threads serve.
  void start() noexcept;

  /// Serves a client that was admitted on the present conditions.
  void take(admitted_client client) noexcept;

  /// From now on clients are admitted on those of `config`. Throws std::bad_alloc,
  /// and then nothing has changed.
  void set_conditions(const settings& config);

  /// As worker::reconsider (on the present conditions), drain and abort, of each.
  void reconsider() noexcept;
  void drain() noexcept;
  void abort() noexcept;

  /// Prepares for `release` of all clients and `more` that may still be taken
  /// before. Throws std::bad_alloc, and then nothing has changed.
  void prepare_release(std::size_t more);

  /// Has every worker give its clients up. `take` must not be called before
  /// `released`.
  void release() noexcept;

  /// Whether they have, since `release`.
  [[nodiscard]] bool released() const noexcept { return releasing_ == 0; }

  /// The clients that were given up. Asks for no memory.
  [[nodiscard]] std::vector<admitted_client> take_released() noexcept;

  /// Asks every worker to answer when it comes round.
  void ping() noexcept;

  /// Whether they have, since `ping`.
  [[nodiscard]] bool answered() const noexcept { return answering_ == 0; }

  /// Whether descriptors that wait to be closed leave no room for a client.
  [[nodiscard]] bool crowded() const noexcept;

 private:
  void add_worker(const worker::surroundings& around, std::optional<duration> busy_poll);
  void count_down(std::atomic<std::size_t>& missing) noexcept;

  surroundings around_;
  std::shared_ptr<const worker::conditions> conditions_;
  std::atomic<std::ptrdiff_t> spare_descriptors_;
  std::atomic<std::size_t> releasing_ = 0;  // workers that are not done with it
  std::atomic<std::size_t> answering_ = 0;
  std::vector<std::vector<admitted_client>> parts_;  // of each worker
  std::vector<admitted_client> released_;
  std::atomic<bool> started_ = false;  // what the threads wait for

  // Last, so that no thread runs while anything above is destroyed.
  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<std::jthread> threads_;
};

}  // namespace upcase
