// client_file: looked at by fstatat(2), removed by unlinkat(2).

#include <upcase/client_file.hpp>

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace upcase {

std::optional<client_file> client_file::find(int directory, std::string_view name) noexcept {
  client_file result;
  if (name.size() >= result.name_.size()) {
    return std::nullopt;
  }
  std::ranges::copy(name, result.name_.begin());
  struct stat status {};
  if (::fstatat(directory, result.name_.data(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISSOCK(status.st_mode) || status.st_uid != ::geteuid()) {
    return std::nullopt;
  }
  result.directory_ = directory;
  result.device_ = status.st_dev;
  result.inode_ = status.st_ino;
  result.owner_ = status.st_uid;
  return result;
}

bool client_file::is_there() const noexcept {
  struct stat status {};
  return directory_ >= 0 &&
         ::fstatat(directory_, name_.data(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         status.st_dev == device_ && status.st_ino == inode_ && status.st_uid == owner_;
}

void client_file::remove() const noexcept {
  if (is_there()) {
    ::unlinkat(directory_, name_.data(), 0);
  }
}

}  // namespace upcase
