// child: posix_spawn(3).

#include "child.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <iterator>
#include <spawn.h>
#include <string_view>
#include <unistd.h>

namespace upcased {

std::vector<char*> pointers_to(std::vector<std::string>& argv) {
  std::vector<char*> result;
  std::ranges::transform(argv, std::back_inserter(result),
                         [](std::string& argument) { return argument.data(); });
  result.push_back(nullptr);
  return result;
}

int start_child(child_options options, pid_t& pid) {
  std::vector<char*> environment;
  const auto replaced = options.environment.substr(0, options.environment.find('=') + 1);
  for (char** each = environ; *each != nullptr; ++each) {
    if (replaced.empty() || !std::string_view(*each).starts_with(replaced)) {
      environment.push_back(*each);
    }
  }
  if (!options.environment.empty()) {
    environment.push_back(options.environment.data());
  }
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (options.output >= 0) {
    ::posix_spawn_file_actions_adddup2(&actions, options.output, STDOUT_FILENO);
  } else {
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  }
  if (options.silent) {
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error = ::posix_spawnp(&pid, options.program.c_str(), &actions, &attributes,
                                   pointers_to(options.argv).data(), environment.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace upcased
