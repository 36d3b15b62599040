// child: starting another program. It obeys signals as any program does; in this
// process they are blocked.

#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace upcased {

struct child_options {
  std::string program;  ///< looked for in PATH if it has no slash
  std::vector<std::string> argv;
  int output = -1;          ///< its standard output; -1: /dev/null
  bool silent = false;      ///< standard error is /dev/null, else it is ours
  std::string environment;  ///< NAME=value in place of ours; may be empty
};

/// Sets `pid`. Returns 0 or an errno.
int start_child(child_options options, pid_t& pid);

/// As exec(3) takes them: null behind the last.
std::vector<char*> pointers_to(std::vector<std::string>& argv);

}  // namespace upcased
