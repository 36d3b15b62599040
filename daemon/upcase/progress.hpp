// progress: how far a long transfer is, on a terminal.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace upcase_client {

/// Draws on standard error, at most ten times a second; silent if that is no
/// terminal. With a known total it is a bar with rate and remaining time, else
/// a count with rate. NO_COLOR leaves out the colour.
class progress {
 public:
  /// `total` bytes are expected, if anybody knows.
  explicit progress(std::optional<std::uint64_t> total);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  /// Draws the final state and ends the line.
  ~progress();

  void update(std::uint64_t done);

 private:
  using clock = std::chrono::steady_clock;
  void draw() const;

  std::optional<std::uint64_t> total_;
  bool on_terminal_;
  bool coloured_;
  std::uint64_t done_ = 0;
  clock::time_point began_ = clock::now();
  clock::time_point drawn_;
};

/// What is left to read from `input`, if it is a regular file.
std::optional<std::uint64_t> bytes_to_read(int input);

}  // namespace upcase_client
