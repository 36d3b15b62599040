// mailbox: what other threads leave for an event loop to do.
//
// Everything that concerns a client happens on its loop's thread, so nothing
// of a client needs a lock; this queue has the only one, and it is not touched
// while bytes move.

#pragma once

#include <atomic>
#include <boost/intrusive/slist.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <upcase/readiness.hpp>
#include <upcase/wakeup.hpp>
#include <utility>

namespace upcase {

class mailbox {
  // Linked rather than stored: so leaving it needs no memory.
  class entry : public boost::intrusive::slist_base_hook<> {
   public:
    entry() = default;
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    // Either is the last that the mailbox does with it.
    virtual void call() noexcept = 0;
    virtual void discard() noexcept = 0;

   protected:
    ~entry() = default;
  };

 public:
  /// A function that is posted again and again, which cannot fail. Whoever owns
  /// it keeps it for as long as the mailbox is there.
  class standing_job final : entry {
   public:
    /// `function` must not throw.
    explicit standing_job(std::function<void()> function) : function_(std::move(function)) {}

   private:
    friend class mailbox;
    void call() noexcept override {
      posted_.exchange(false);  // before the call: from now on it is to be called again
      function_();
    }
    void discard() noexcept override {}

    std::atomic<bool> posted_ = false;
    std::function<void()> function_;
  };

  explicit mailbox(readiness& set) : bell_(set) {}
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;
  ~mailbox();

  /// Leaves a function, which may be move-only and must not throw, to be called
  /// once on the loop's thread. Any thread. Throws std::bad_alloc, and then
  /// `function` is gone.
  template <typename Function>
  void post(Function function) {
    put(*std::make_unique<single_job<Function>>(std::move(function)).release());
  }

  /// Leaves `job` to be called on the loop's thread; once, however often it is
  /// left before that. Any thread.
  void post(standing_job& job) noexcept {
    if (!job.posted_.exchange(true)) {
      put(job);
    }
  }

  /// Wakes the loop, with nothing to do. Any thread.
  void ring() const noexcept { bell_.ring(); }

  /// Does what was left here, in that order. Loop's thread, outside a batch.
  void empty();

 private:
  template <typename Function>
  class single_job final : public entry {
   public:
    explicit single_job(Function&& function) : function_(std::move(function)) {}
    void call() noexcept override {
      const std::unique_ptr<single_job> self(this);
      function_();
    }
    void discard() noexcept override { delete this; }

   private:
    Function function_;
  };

  void put(entry& posted) noexcept;

  using entries = boost::intrusive::slist<entry, boost::intrusive::cache_last<true>,
                                          boost::intrusive::constant_time_size<false>>;

  bell bell_;
  std::mutex mutex_;
  entries posted_;
};

}  // namespace upcase
