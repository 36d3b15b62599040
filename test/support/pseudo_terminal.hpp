// pseudo_terminal: a terminal for a program, whose screen the test reads.

#pragma once

#include <filesystem>
#include <string>
#include <upcase/file_descriptor.hpp>

namespace test {

class pseudo_terminal {
 public:
  pseudo_terminal();

  /// The terminal, as a file for process_options.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// What was written to it since the last look; does not wait.
  [[nodiscard]] std::string read() const;

 private:
  upcase::file_descriptor screen_;
  std::filesystem::path path_;
  upcase::file_descriptor held_;  // without it, the end of one program would be the screen's
};

}  // namespace test
