// client_directory: opening and examining it.

#include <upcase/client_directory.hpp>

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/own_directory.hpp>
#include <upcase/system_calls.hpp>

namespace upcase {
namespace {

removal removal_from(const file_descriptor& directory, const struct stat& status) noexcept {
  if (::faccessat(directory.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    return errno == EROFS ? removal::read_only : removal::forbidden;
  }
  const bool sticky = (status.st_mode & S_ISVTX) != 0;
  return sticky && ::geteuid() != 0 && status.st_uid != ::geteuid() ? removal::forbidden
                                                                    : removal::possible;
}

}  // namespace

std::variant<client_directory, std::string> client_directory::open(
    const std::filesystem::path& path, uid_t daemon) {
  file_descriptor fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOTDIR) {
      return fmt::format("'{}' is not a directory", path.native());
    }
    return fmt::format("cannot open the directory '{}': {}", path.native(), describe(errno));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return fmt::format("cannot examine '{}': {}", path.native(), describe(errno));
  }
  if (status.st_uid != 0 && status.st_uid != daemon) {
    return fmt::format(
        "'{}' belongs to uid {}, who could replace clients' files; it must belong to root or to "
        "uid {}, which runs the daemon",
        path.native(), status.st_uid, daemon);
  }
  if (others_may_rename_in(status)) {
    return fmt::format(
        "others may write in '{}' and it is not sticky, so that they could replace each other's "
        "files; 'chmod 1733 {}' mends that",
        path.native(), path.native());
  }
  const removal removes = removal_from(fd, status);
  return client_directory(std::move(fd), path.native(), removes);
}

std::variant<client_directory, std::string> client_directory::open_or_create(
    const std::filesystem::path& path) {
  constexpr mode_t anybody_may_bind = S_ISVTX | S_IRWXU | S_IWGRP | S_IXGRP | S_IWOTH | S_IXOTH;
  if (const auto error = make_directory(path, anybody_may_bind)) {
    return fmt::format("cannot create the directory '{}': {}", path.native(), error.message());
  }
  return open(path);
}

}  // namespace upcase
