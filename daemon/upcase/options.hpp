// options: what this call of upcase is to do.

#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/types.h>

namespace upcase_client {

struct command {
  enum class action { talk, version, help };
  action what = action::talk;
  std::filesystem::path socket;
  std::filesystem::path client_directory;
  std::chrono::nanoseconds timeout{0};
  bool progress = false;
  std::optional<uid_t> server_user;
  std::optional<std::string> text;  ///< with its newline; else standard input
};

/// The command line is wrong; `what()` says in one sentence how.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Fills in the defaults, environment included. Throws usage_error.
command parse_command_line(int argc, const char* const* argv);

/// For --help.
std::string help_text();

}  // namespace upcase_client
