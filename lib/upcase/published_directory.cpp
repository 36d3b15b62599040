// published_directory: symlink(2), rename(2), readlinkat(2).

#include <upcase/published_directory.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <string_view>
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

std::string unpublished(const std::filesystem::path& link, std::string_view reason) {
  return fmt::format(
      "cannot make the link '{}', from which upcase learns the client directory: {}; name it "
      "to clients in $UPCASED_CLIENT_DIRECTORY",
      link.native(), reason);
}

}  // namespace

std::filesystem::path published_name(const std::filesystem::path& socket) {
  return socket.native() + ".clients";
}

std::optional<std::string> publish_client_directory(
    const std::filesystem::path& socket, const std::vector<std::filesystem::path>& directories) {
  if (socket.empty()) {
    return std::nullopt;  // an abstract socket has nothing beside it
  }
  const auto usual = socket.parent_path() / client_directory_name;
  if (directories.empty() || std::ranges::find(directories, usual) != directories.end()) {
    withdraw_client_directory(socket);
    return std::nullopt;
  }
  const auto name = published_name(socket);
  const std::string fresh = name.native() + ".new";
  for (const std::string& each : {name.native(), fresh}) {
    if (struct stat status{}; ::lstat(each.c_str(), &status) == 0 && !S_ISLNK(status.st_mode)) {
      return unpublished(name, fmt::format("'{}' exists and is no link; it stays untouched", each));
    }
  }
  ::unlink(fresh.c_str());
  if (::symlink(directories.front().c_str(), fresh.c_str()) != 0 ||
      ::rename(fresh.c_str(), name.c_str()) != 0) {
    const int error = errno;
    ::unlink(fresh.c_str());
    return unpublished(name, describe(error));
  }
  return std::nullopt;
}

void withdraw_client_directory(const std::filesystem::path& socket) noexcept {
  if (socket.empty()) {
    return;
  }
  const std::string name = published_name(socket);
  struct stat found {};
  struct stat around {};
  if (::lstat(name.c_str(), &found) != 0 || !S_ISLNK(found.st_mode) ||
      ::stat(socket.parent_path().c_str(), &around) != 0) {
    return;
  }
  // A daemon of another user may have left one that clients would still believe.
  const std::array believed{uid_t{0}, ::geteuid(), around.st_uid};
  if (std::ranges::find(believed, found.st_uid) != believed.end()) {
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
