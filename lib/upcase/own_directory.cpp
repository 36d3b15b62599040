// own_directory: mkdir(2) obeys the umask, so the mode is set by descriptor.

#include <upcase/own_directory.hpp>

#include <cerrno>
#include <fcntl.h>
#include <upcase/file_descriptor.hpp>

namespace upcase {

std::error_code make_directory(const std::filesystem::path& path, mode_t mode) noexcept {
  if (::mkdir(path.c_str(), S_IRWXU) != 0) {
    return errno == EEXIST ? std::error_code() : std::error_code(errno, std::generic_category());
  }
  const file_descriptor made(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!made || ::fchmod(made.get(), mode) != 0) {
    return {errno, std::generic_category()};
  }
  return {};
}

bool others_may_rename_in(const struct stat& directory) noexcept {
  return (directory.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (directory.st_mode & S_ISVTX) == 0;
}

}  // namespace upcase
