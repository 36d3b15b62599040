// runtime_directory: where the daemon's socket lies when nobody says.
//
// The daemon and its client work it out alike, so that `upcased` in one
// terminal and `upcase hello` in the next find each other without a word of
// configuration.

#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace upcase {

inline constexpr const char* system_runtime_directory = "/run/upcased";
inline constexpr const char* socket_file_name = "upcased.sock";
inline constexpr const char* client_directory_name = "clients";

/// $RUNTIME_DIRECTORY (systemd.exec(5)); else /run/upcased for root; else
/// $XDG_RUNTIME_DIR/upcased; else /tmp/upcased-<uid>.
std::filesystem::path daemon_runtime_directory();

/// The same for a user's own daemon, which $RUNTIME_DIRECTORY is not about.
std::filesystem::path user_runtime_directory();

/// Makes the directory where it is missing, mode 0755. Returns one sentence if
/// that fails or if it belongs to another user, who could then swap the socket
/// in it: only root and this user are trusted with it.
std::optional<std::string> prepare_runtime_directory(const std::filesystem::path& directory);

/// Whether `directory` is one, not a link to one, belongs to root or to this
/// user, and lets nobody else rename or remove what lies in it.
bool is_trusted_directory(const std::filesystem::path& directory) noexcept;

}  // namespace upcase
