// process_tree: what a server costs, with all processes that it started.
//
// Processor time is that of each process's CPU clock (clock_getcpuclockid(3)):
// what the scheduler accounted to it, user and system, all threads, in
// nanoseconds, where utime and stime of /proc come in ticks of 10 ms. Only the
// time of children that have ended is known in ticks (cutime, cstime); that
// touches servers which fork for each client, and only where clients come and
// go.

#pragma once

#include <chrono>
#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace bench {

struct memory_use {
  std::uint64_t resident = 0;   ///< bytes in RAM, shared ones included
  std::uint64_t anonymous = 0;  ///< of those, heap and stacks: the process's own
};

class process_tree {
 public:
  explicit process_tree(pid_t root) : root_(root) {}

  [[nodiscard]] std::chrono::nanoseconds processor_time() const;
  [[nodiscard]] memory_use memory() const;

 private:
  [[nodiscard]] std::vector<pid_t> members() const;

  pid_t root_;
};

}  // namespace bench
