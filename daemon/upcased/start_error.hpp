// start_error: why there is no daemon, and the exit code that says so.

#pragma once

#include <stdexcept>
#include <string>

namespace upcased {

/// `what()` is one sentence for people, `exit_code` one of sysexits.h.
struct start_error : std::runtime_error {
  start_error(int code, const std::string& sentence)
      : std::runtime_error(sentence), exit_code(code) {}
  int exit_code;
};

}  // namespace upcased
