// temporary_directory: a place of its own for each test.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace test {

/// A new directory below /tmp, mode 0755 so that other users' test clients may
/// pass through; removed with all it holds.
class temporary_directory {
 public:
  temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Writes a small file, replacing what was there.
void write_file(const std::filesystem::path& path, std::string_view text);

std::string read_file(const std::filesystem::path& path);

}  // namespace test
