// mailbox: what other threads leave for an event loop to do.
//
// Everything that concerns a client happens on its loop's thread, so nothing
// of a client needs a lock; this queue has the only one, and it is not touched
// while bytes move.

#pragma once

#include <memory>
#include <mutex>
#include <upcase/readiness.hpp>
#include <upcase/wakeup.hpp>
#include <utility>
#include <vector>

namespace upcase {

class mailbox {
 public:
  explicit mailbox(readiness& set) : bell_(set) {}

  /// Leaves a function, which may be move-only and must not throw, to be called
  /// once on the loop's thread. Any thread. Throws std::bad_alloc, and then `job`
  /// is gone.
  template <typename Job>
  void post(Job job) {
    put(std::make_unique<letter_of<Job>>(std::move(job)));
  }

  /// Wakes the loop, with nothing to do. Any thread.
  void ring() const noexcept { bell_.ring(); }

  /// Does what was left here, in that order. Loop's thread, outside a batch.
  void empty();

 private:
  struct letter {
    letter() = default;
    letter(const letter&) = delete;
    letter& operator=(const letter&) = delete;
    virtual ~letter() = default;
    virtual void open() = 0;
  };

  template <typename Job>
  struct letter_of final : letter {
    explicit letter_of(Job&& given) : job(std::move(given)) {}
    void open() override { job(); }
    Job job;
  };

  void put(std::unique_ptr<letter> posted);

  bell bell_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<letter>> letters_;
};

}  // namespace upcase
