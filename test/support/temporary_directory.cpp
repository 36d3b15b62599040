// temporary_directory: mkdtemp(3) and its end.

#include "support/temporary_directory.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <sys/stat.h>

namespace test {

temporary_directory::temporary_directory() {
  std::string name = "/tmp/upcase-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr || ::chmod(name.c_str(), 0755) != 0) {
    throw std::runtime_error("cannot make a directory in /tmp");
  }
  path_ = name;
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::trunc | std::ios::binary);
  file << text;
  if (!file.flush()) {
    throw std::runtime_error("cannot write " + path.native());
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace test
