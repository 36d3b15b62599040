// fake_systemctl: a systemctl(1) that knows of every unit what a test says.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "support/temporary_directory.hpp"

namespace test {

class fake_systemctl {
 public:
  /// `show` prints `properties`; with `then`, that shell command follows.
  explicit fake_systemctl(std::string_view properties, std::string_view then = "");

  /// What makes a program find it: "PATH=...".
  [[nodiscard]] std::string environment() const;

  /// Whether it was started.
  [[nodiscard]] bool asked() const { return std::filesystem::exists(log()); }

 private:
  [[nodiscard]] std::filesystem::path log() const { return place_.path() / "log"; }

  temporary_directory place_;
};

}  // namespace test
