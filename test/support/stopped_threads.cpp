// stopped_threads: ptrace(2).

#include "support/stopped_threads.hpp"

#include <filesystem>
#include <string>
#include <sys/ptrace.h>
#include <sys/wait.h>

namespace test {

stopped_threads::stopped_threads(pid_t pid) {
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    const pid_t thread = std::stoi(task.path().filename());
    if (thread != pid && ::ptrace(PTRACE_SEIZE, thread, 0, 0) == 0) {
      ::ptrace(PTRACE_INTERRUPT, thread, 0, 0);
      ::waitpid(thread, nullptr, __WALL);
      threads_.push_back(thread);
    }
  }
}

stopped_threads::~stopped_threads() {
  for (const pid_t thread : threads_) {
    ::ptrace(PTRACE_DETACH, thread, 0, 0);
  }
}

}  // namespace test
