// stopped_threads: ptrace(2), and what proc(5) says that a thread waits in.

#include "support/stopped_threads.hpp"

#include <cctype>
#include <filesystem>
#include <map>
#include <string>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "support/patience.hpp"
#include "support/temporary_directory.hpp"

namespace test {
namespace {

// The system call that a thread sleeps in, its arguments, and where it was made;
// empty if the thread runs, or if we may not know.
std::string sleep_of(pid_t thread) {
  const std::string text = read_file("/proc/" + std::to_string(thread) + "/syscall");
  const bool sleeps = !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) != 0;
  return sleeps ? text : "";
}

bool may_trace(pid_t pid) {
  return !read_file("/proc/" + std::to_string(pid) + "/syscall").empty();
}

std::vector<pid_t> threads_beside(pid_t main) {
  std::vector<pid_t> result;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(main) + "/task")) {
    const pid_t thread = std::stoi(task.path().filename());
    if (thread != main) {
      result.push_back(thread);
    }
  }
  return result;
}

}  // namespace

stopped_threads::stopped_threads(pid_t pid) {
  if (may_trace(pid)) {
    eventually([&] { return stop_sleeping(pid); });
  }
}

stopped_threads::~stopped_threads() { release(); }

// False if one of them did something meanwhile; then none is stopped.
bool stopped_threads::stop_sleeping(pid_t pid) {
  std::map<pid_t, std::string> sleeps;
  for (const pid_t thread : threads_beside(pid)) {
    sleeps[thread] = sleep_of(thread);
  }
  // The main thread last: what the others told it before they slept, it has done.
  bool all_sleep = !sleep_of(pid).empty();
  for (const auto& [thread, sleep] : sleeps) {
    all_sleep = all_sleep && !sleep.empty() && ::ptrace(PTRACE_SEIZE, thread, 0, 0) == 0;
    if (all_sleep) {
      ::ptrace(PTRACE_INTERRUPT, thread, 0, 0);
      ::waitpid(thread, nullptr, __WALL);
      threads_.push_back(thread);
      all_sleep = sleep_of(thread) == sleep;
    }
  }
  if (!all_sleep) {
    release();
  }
  return all_sleep;
}

void stopped_threads::release() {
  for (const pid_t thread : threads_) {
    // Those before may already have made the process end or exec(2), which killed
    // this one; and that waits until its tracer has taken note.
    if (::ptrace(PTRACE_DETACH, thread, 0, 0) != 0) {
      ::waitpid(thread, nullptr, __WALL);
    }
  }
  threads_.clear();
}

}  // namespace test
