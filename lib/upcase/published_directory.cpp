// published_directory: symlink(2), rename(2), readlinkat(2).

#include <upcase/published_directory.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <upcase/own_directory.hpp>
#include <upcase/runtime_directory.hpp>
#include <upcase/system_calls.hpp>

namespace upcase {
namespace {

// By descriptor, so that what is examined is what is read. Empty if it is no link.
std::string read_link(const file_descriptor& link) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(link.get(), "", target.data(), target.size());
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : "";
}

file_descriptor open_link(const std::filesystem::path& path) {
  return file_descriptor(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

bool is_trusted(const file_descriptor& link, const std::filesystem::path& socket) noexcept {
  struct stat found {};
  struct stat beside {};
  struct stat around {};
  if (::fstat(link.get(), &found) != 0 || ::stat(socket.c_str(), &beside) != 0 ||
      ::stat(socket.parent_path().c_str(), &around) != 0) {
    return false;
  }
  const std::array trusted{uid_t{0}, ::geteuid(), beside.st_uid, around.st_uid};
  return !others_may_rename_in(around) && found.st_nlink == 1 &&
         std::ranges::find(trusted, found.st_uid) != trusted.end();
}

}  // namespace

std::filesystem::path published_name(const std::filesystem::path& socket) {
  return socket.native() + ".clients";
}

std::optional<std::string> publish_client_directory(
    const std::filesystem::path& socket, const std::vector<std::filesystem::path>& directories) {
  const auto usual = socket.parent_path() / client_directory_name;
  if (directories.empty() || std::ranges::find(directories, usual) != directories.end()) {
    withdraw_client_directory(socket);
    return std::nullopt;
  }
  const auto name = published_name(socket);
  const std::string fresh = name.native() + ".new";
  ::unlink(fresh.c_str());
  if (::symlink(directories.front().c_str(), fresh.c_str()) != 0 ||
      ::rename(fresh.c_str(), name.c_str()) != 0) {
    const int error = errno;
    ::unlink(fresh.c_str());
    return fmt::format(
        "cannot make the link '{}', from which upcase learns the client directory: {}; name it "
        "to clients in $UPCASED_CLIENT_DIRECTORY",
        name.native(), describe(error));
  }
  return std::nullopt;
}

void withdraw_client_directory(const std::filesystem::path& socket) noexcept {
  const std::string name = published_name(socket);
  if (struct stat status{}; ::lstat(name.c_str(), &status) == 0 && S_ISLNK(status.st_mode) &&
                            status.st_uid == ::geteuid()) {
    ::unlink(name.c_str());
  }
}

std::optional<std::filesystem::path> find_published_client_directory(
    const std::filesystem::path& socket) {
  const file_descriptor link = open_link(published_name(socket));
  if (!link || !is_trusted(link, socket)) {
    return std::nullopt;
  }
  const std::string target = read_link(link);
  return target.starts_with('/') ? std::optional<std::filesystem::path>(target) : std::nullopt;
}

}  // namespace upcase
