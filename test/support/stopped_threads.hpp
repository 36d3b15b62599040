// stopped_threads: event loops that stand still while the rest of a process runs.

#pragma once

#include <sys/types.h>
#include <vector>

namespace test {

/// Stops every thread but the main one for as long as it lives, at a moment when
/// the whole process sleeps: none of them holds a lock that the main one needs,
/// and nothing that they did is still on its way to it.
class stopped_threads {
 public:
  explicit stopped_threads(pid_t pid);
  stopped_threads(const stopped_threads&) = delete;
  stopped_threads& operator=(const stopped_threads&) = delete;
  ~stopped_threads();

  /// False where this process may not trace that one.
  [[nodiscard]] bool any() const noexcept { return !threads_.empty(); }

 private:
  bool stop_sleeping(pid_t pid);
  void release();

  std::vector<pid_t> threads_;
};

}  // namespace test
