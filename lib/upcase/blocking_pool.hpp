// blocking_pool: threads for system calls that may block for as long as somebody
// else likes: closing a descriptor that a client sent, unlinking a file in a
// directory in which everybody may write.
//
// A thread may be lost to such a call, so there are several, started when they
// are needed and bounded in number, as are the jobs that wait for one. Destroying
// the pool leaves a blocked thread behind rather than waiting for it.

#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <upcase/job.hpp>
#include <utility>

namespace upcase {

/// Any thread may call any member. Its threads have all signals blocked.
class blocking_pool {
 public:
  struct limits {
    std::size_t threads;  ///< how many calls may be blocked at the same time
    std::size_t waiting;  ///< how many jobs may wait for a thread
  };

  explicit blocking_pool(limits most);
  blocking_pool(const blocking_pool&) = delete;
  blocking_pool& operator=(const blocking_pool&) = delete;

  /// Waits until all jobs are done, one second at most. Jobs that a blocked
  /// thread holds up run when it comes back, if ever: a job must own what it
  /// uses.
  ~blocking_pool();

  /// Calls `function`, which may be move-only and must not throw, on one of the
  /// threads. False if too many jobs wait, or if there is no memory or no thread;
  /// then `function` is unchanged.
  template <typename Function>
  [[nodiscard]] bool post(Function& function) noexcept {
    try {
      auto place = reserve();
      if (!place) {
        return false;
      }
      submit(std::move(place), job::of(function));
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  /// How many jobs wait or run.
  [[nodiscard]] std::size_t pending() const noexcept;

 private:
  struct state;

  // Held while a place in the queue and a thread are there for one more job.
  std::unique_lock<std::mutex> reserve() noexcept;
  void submit(std::unique_lock<std::mutex> place, job one) noexcept;
  static void run(const std::shared_ptr<state>& shared) noexcept;

  std::shared_ptr<state> state_;
};

}  // namespace upcase
