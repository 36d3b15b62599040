// process: another program as a black box.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "support/patience.hpp"

namespace test {

using namespace std::chrono_literals;

/// How often `part` occurs in `text`.
std::size_t occurrences(std::string_view text, std::string_view part);

struct process_options {
  /// argv[0] is searched for in PATH.
  std::vector<std::string> argv;
  /// NAME=value, over the inherited environment; "NAME" alone removes it.
  std::vector<std::string> environment = {};
  /// Files for the standard streams; empty: /dev/null. Output is appended.
  std::filesystem::path input = {};
  std::filesystem::path output = {};
  std::filesystem::path errors = {};
  /// Runs in the child just before exec, as after fork(2): to lower a limit,
  /// change the user, and so on. False ends the child with status 127.
  std::function<bool()> before_exec = {};
};

class process {
 public:
  explicit process(const process_options& options);
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  /// Kills it and whatever it has started, and reaps it.
  ~process();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void signal(int number) const;

  /// The exit code, or 128 + the signal that ended it; nothing if it still
  /// runs at the end of `limit`.
  std::optional<int> wait(std::chrono::nanoseconds limit = patience_left());

  [[nodiscard]] bool running() const;

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct outcome {
  int code = -1;
  std::string output;
  std::string errors;
};

/// Runs a program to its end with `input` on its standard input.
outcome run(std::vector<std::string> argv, std::string_view input = "",
            std::vector<std::string> environment = {});

/// Runs `action` in a child of ours as another user (root only), without
/// supplementary groups; its result (0 to 255) is the child's exit code. An
/// exception makes it 250; std::nullopt if the child did not end in time.
std::optional<int> run_as(uid_t uid, gid_t gid, const std::function<int()>& action);

/// Whether a process or a thread sleeps.
bool asleep(pid_t id);

/// The number of the system call that a process or a thread waits in; -1 if it
/// runs, or if we may not know.
long call_of(pid_t id);

/// Whether a process is stopped, as by SIGSTOP.
bool stopped(pid_t pid);

/// What proc(5)'s status of a process holds behind `name`, which ends in a colon.
std::string status_field(pid_t pid, std::string_view name);

/// Processor time used so far, user and system.
std::chrono::nanoseconds processor_time(pid_t pid);

/// Resident memory in bytes.
std::size_t resident_memory(pid_t pid);

}  // namespace test
