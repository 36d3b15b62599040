// attacker: a process of another user, at work beside the test.

#pragma once

#include <functional>
#include <sys/types.h>
#include <upcase/file_descriptor.hpp>

namespace test {

/// Root only.
class attacker {
 public:
  using action = std::function<void(const std::function<void()>& ready)>;

  /// Lets another user, without supplementary groups, run `attack` until it
  /// returns or the attacker is destroyed, and waits until it calls `ready`; throws
  /// if it does not.
  explicit attacker(const action& attack);
  attacker(const attacker&) = delete;
  attacker& operator=(const attacker&) = delete;
  ~attacker();

  static constexpr uid_t user = 12345;

 private:
  pid_t pid_ = -1;
};

}  // namespace test
