// tracer: waits until the kernel names a tracer.

#include "support/tracer.hpp"

#include <csignal>

namespace test {

tracer::tracer(pid_t pid, const std::vector<std::string>& options)
    : strace_({.argv = command(pid, options)}) {
  const auto traced = [&] { return std::stoi(status_field(pid, "TracerPid:")) != 0; };
  attached_ = eventually([&] { return traced() || !strace_.running(); }) && traced();
}

tracer::~tracer() {
  strace_.signal(SIGINT);
  strace_.wait();
}

std::vector<std::string> tracer::command(pid_t pid, const std::vector<std::string>& options) const {
  std::vector<std::string> result{"strace", "-qq", "-o", file(), "-p", std::to_string(pid)};
  result.insert(result.end(), options.begin(), options.end());
  return result;
}

bool can_trace() { return run({"strace", "-D", "-o", "/dev/null", "true"}).code == 0; }

}  // namespace test
