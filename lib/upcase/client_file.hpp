// client_file: a client's socket file, known by more than its name.
//
// Once the server has removed it, others may put a file of theirs at its name,
// and its path may come to lead elsewhere. It is therefore looked for in the
// directory where it was made, and is the same only with the same inode and
// owner: while the socket is open, no other file is given its inode number.

#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace upcase {

/// A plain value, for static storage too. The descriptor of the directory is
/// the creator's, who keeps it open as long as any copy is used.
class client_file {
 public:
  /// None: it is not there, and `remove` does nothing.
  client_file() noexcept = default;

  /// The socket of this process's user that lies in `directory` under `name`, if
  /// there is one. O_PATH suffices for `directory`.
  static std::optional<client_file> find(int directory, std::string_view name) noexcept;

  /// Whether it is still there. Async-signal-safe.
  [[nodiscard]] bool is_there() const noexcept;

  /// Removes it if it is still there, and no other. Async-signal-safe.
  void remove() const noexcept;

 private:
  int directory_ = -1;
  std::array<char, 64> name_{};
  dev_t device_ = 0;
  ino_t inode_ = 0;
  uid_t owner_ = 0;
};

}  // namespace upcase
