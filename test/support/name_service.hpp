// name_service: the names of users and groups as a program under test is told
// them: by the system, or late, or not at all.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/temporary_directory.hpp"

namespace test {

class name_service {
 public:
  /// For the environment of the programs that are to ask it.
  [[nodiscard]] std::vector<std::string> environment() const;

  /// Look-ups do not return until `release`.
  void hold() { write_file(place_.path() / "hold", ""); }
  void release() { std::filesystem::remove(place_.path() / "hold"); }

  /// Look-ups fail with this errno; 0: they are answered again.
  void fail(int error) { write_file(place_.path() / "error", std::to_string(error)); }

  /// How often it was asked so far, held look-ups included.
  [[nodiscard]] std::size_t asked() const { return read_file(place_.path() / "asked").size(); }

 private:
  temporary_directory place_;
};

}  // namespace test
