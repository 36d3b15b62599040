// mailbox: what other threads leave for an event loop to do.
//
// Everything that concerns a client happens on its loop's thread, so nothing
// of a client needs a lock; this queue has the only one, and it is not touched
// while bytes move.

#pragma once

#include <mutex>
#include <upcase/job.hpp>
#include <upcase/readiness.hpp>
#include <upcase/wakeup.hpp>
#include <utility>
#include <vector>

namespace upcase {

class mailbox {
 public:
  explicit mailbox(readiness& set) : bell_(set) {}

  /// Leaves a function, which may be move-only and must not throw, to be called
  /// once on the loop's thread. Any thread. Throws std::bad_alloc, and then
  /// `function` is gone.
  template <typename Function>
  void post(Function function) {
    put(job(std::move(function)));
  }

  /// Wakes the loop, with nothing to do. Any thread.
  void ring() const noexcept { bell_.ring(); }

  /// Does what was left here, in that order. Loop's thread, outside a batch.
  void empty();

 private:
  void put(job posted);

  bell bell_;
  std::mutex mutex_;
  std::vector<job> jobs_;
};

}  // namespace upcase
