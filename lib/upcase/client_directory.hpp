// client_directory: a place where clients may bind their socket files.
//
// Opened and examined once, at start and at reload; every later look at a
// client's file goes through this descriptor. Renaming the directory, or
// replacing what its path leads to, therefore changes nothing for a check.
// The descriptor is shared with those who look on other threads, since they may
// still do so after a reload has dropped the directory.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <sys/types.h>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <variant>

namespace upcase {

/// Whether this process can remove a file that any user has made in a directory.
enum class removal {
  possible,
  read_only,  ///< the file system is, or a sandbox makes it so
  forbidden,  ///< by its mode, or because it is sticky and belongs to somebody else
};

class client_directory {
 public:
  /// Opens `path` (absolute) or says in one sentence why it will not do: it
  /// must be a directory, owned by root or by `daemon`, the user who runs the
  /// daemon, and not writable by others unless sticky, since otherwise one user
  /// could rename or remove another's file.
  static std::variant<client_directory, std::string> open(const std::filesystem::path& path,
                                                          uid_t daemon = ::geteuid());

  /// As `open`, making the directory first where it is missing: mode 1733, in
  /// which everybody may make a file, nobody may list, and only its owner may
  /// remove one.
  static std::variant<client_directory, std::string> open_or_create(
      const std::filesystem::path& path);

  /// An O_PATH descriptor, which stays open for as long as somebody has it.
  [[nodiscard]] const std::shared_ptr<const file_descriptor>& descriptor() const noexcept {
    return fd_;
  }

  /// As clients must write it in front of "/name".
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// As it was when the directory was opened.
  [[nodiscard]] removal removes() const noexcept { return removes_; }

 private:
  client_directory(file_descriptor fd, std::string path, removal removes)
      : fd_(std::make_shared<const file_descriptor>(std::move(fd))),
        path_(std::move(path)),
        removes_(removes) {}

  std::shared_ptr<const file_descriptor> fd_;
  std::string path_;
  removal removes_;
};

}  // namespace upcase
