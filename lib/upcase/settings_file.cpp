// settings_file: open(2), fstat(2), read(2).

#include <upcase/settings_file.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>

namespace upcase {
namespace {

// Far more than any sensible file; a mistaken /dev/zero must not fill memory.
constexpr std::size_t largest_file = 1U << 20U;

// An access control list shows in the group's bits. A sticky directory does not
// help: who may write in it may add a file.
void warn_if_others_write(const std::filesystem::path& path, const struct stat& status,
                          uid_t daemon, std::vector<std::string>& warnings) {
  const bool other_owner = status.st_uid != 0 && status.st_uid != daemon;
  const bool others = (status.st_mode & S_IWOTH) != 0;
  const bool group = (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0;
  if (other_owner || others || group) {
    warnings.push_back(
        fmt::format("{}: {} may write here, and so decide who is served; it should belong to root "
                    "or to the daemon's user, and be writable by nobody else",
                    path.native(),
                    others        ? "everybody"
                    : other_owner ? fmt::format("uid {}", status.st_uid)
                                  : fmt::format("group {}", status.st_gid)));
  }
}

}  // namespace

std::variant<std::string, std::error_code> read_settings_file(const std::filesystem::path& path,
                                                              uid_t daemon,
                                                              std::vector<std::string>& warnings) {
  const file_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) {
    return std::error_code(errno, std::generic_category());
  }
  // A device such as /dev/null is not what others can make it.
  if (struct stat status{}; ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    warn_if_others_write(path, status, daemon, warnings);
  }
  std::string text;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got == 0) {
      return text;
    }
    if (got < 0 && errno != EINTR) {
      return std::error_code(errno, std::generic_category());
    }
    if (got > 0) {
      text.append(chunk.data(), static_cast<std::size_t>(got));
    }
    if (text.size() > largest_file) {
      return std::make_error_code(std::errc::file_too_large);
    }
  }
}

void examine_settings_directory(const std::filesystem::path& path, uid_t daemon,
                                std::vector<std::string>& warnings) {
  if (struct stat status{}; ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    warn_if_others_write(path, status, daemon, warnings);
  }
}

}  // namespace upcase
