// unanswering_file: an open file of a file system that has stopped to answer.

#pragma once

#include <filesystem>
#include <upcase/file_descriptor.hpp>

namespace test {

/// FUSE, whose server answers until the file is open, and never again (fuse(4)).
/// Who closes a copy of `file` waits until this object is destroyed, and no signal
/// helps. Root only.
class unanswering_file {
 public:
  /// Mounts over `path`, a regular file. Where that cannot be, `file` is empty.
  explicit unanswering_file(const std::filesystem::path& path);
  unanswering_file(const unanswering_file&) = delete;
  unanswering_file& operator=(const unanswering_file&) = delete;
  ~unanswering_file();

  upcase::file_descriptor file;

 private:
  std::filesystem::path path_;
  upcase::file_descriptor device_;
};

}  // namespace test
