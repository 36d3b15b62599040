// tracer: strace(1) on a running process.

#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace test {

/// For programs that end while they are traced: LeakSanitizer would trace them itself
/// then, cannot, and fails.
inline constexpr const char* without_leak_check = "ASAN_OPTIONS=detect_leaks=0";

/// Attached for as long as it lives.
class tracer {
 public:
  /// `options` say what it traces, and what it makes fail ("--inject=...").
  tracer(pid_t pid, const std::vector<std::string>& options);
  tracer(const tracer&) = delete;
  tracer& operator=(const tracer&) = delete;
  ~tracer();

  /// False where strace is missing or may not trace that process.
  [[nodiscard]] bool attached() const noexcept { return attached_; }

  /// What it has written so far.
  [[nodiscard]] std::string output() const { return read_file(file()); }

 private:
  [[nodiscard]] std::filesystem::path file() const { return place_.path() / "trace"; }
  [[nodiscard]] std::vector<std::string> command(pid_t pid,
                                                 const std::vector<std::string>& options) const;

  temporary_directory place_;
  process strace_;
  bool attached_ = false;
};

/// Whether strace(1) can start and trace a program.
bool can_trace();

}  // namespace test
