// job: a function to be called once, on another thread. Unlike std::function it
// may be move-only, as what owns a descriptor is.

#pragma once

#include <memory>
#include <utility>

namespace upcase {

/// Move-only; owns the function. Calling it does not empty it.
class job {
 public:
  /// Takes `function`. Throws std::bad_alloc, and then it is unchanged.
  template <typename Function>
  static job of(Function& function) {
    return job(std::make_unique<holder_of<Function>>(std::move(function)));
  }

  void operator()() { held_->call(); }

 private:
  struct holder {
    holder() = default;
    holder(const holder&) = delete;
    holder& operator=(const holder&) = delete;
    virtual ~holder() = default;
    virtual void call() = 0;
  };

  template <typename Function>
  struct holder_of final : holder {
    explicit holder_of(Function&& given) : function(std::move(given)) {}
    void call() override { function(); }
    Function function;
  };

  explicit job(std::unique_ptr<holder> held) noexcept : held_(std::move(held)) {}

  std::unique_ptr<holder> held_;
};

}  // namespace upcase
