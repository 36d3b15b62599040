// passed_descriptors: dup2 and three variables.

#include "support/passed_descriptors.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace test {
namespace {

constexpr int first = 3;

// Where none of the targets lies.
constexpr int aside = 100;

bool pass(const std::vector<passed_descriptor>& descriptors) {
  std::vector<int> copies;
  std::string names;
  for (const auto& [name, fd] : descriptors) {
    copies.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, aside));
    names += (names.empty() ? "" : ":") + name;
  }
  bool done = ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1) == 0 &&
              ::setenv("LISTEN_FDS", std::to_string(copies.size()).c_str(), 1) == 0 &&
              ::setenv("LISTEN_FDNAMES", names.c_str(), 1) == 0;
  int target = first;
  for (const int copy : copies) {
    done = done && ::dup2(copy, target++) >= 0;
  }
  return done;
}

}  // namespace

std::function<bool()> passing(std::vector<passed_descriptor> descriptors) {
  return [moved = std::move(descriptors)] { return pass(moved); };
}

}  // namespace test
