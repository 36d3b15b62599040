// credentials: who is this client, proven by the socket file that it bound.
//
// The idea is Stevens & Rago's (Advanced Programming in the UNIX Environment,
// section 17.3): a client binds a socket file of its own before it connects;
// the server reads the path from the connection, and the file's owner is the
// client. As printed there, a stat(2) of the path, it is defeated by any user:
// unlink the file and put a symbolic link to somebody else's socket in its
// place, or bind the same path in a private mount namespace. So here the file
// is found beneath a trusted directory, by descriptor, without following
// anything, and its owner must be the one that the kernel saw connect.
//
// The check, in this order; the first failure is the verdict:
//
//  1. The client's name (accept4): it must be a path, with room for its
//     final NUL.                               unnamed, abstract, too-long
//  2. The kernel's record of who connected (SO_PEERCRED): a user whom this
//     namespace can tell apart.                unmapped-uid
//  3. The path: absolute, and directly in a client directory, without "."
//     or "..".                                 relative, outside
//  4. The file, opened beneath that directory's descriptor: no link followed,
//     no mount crossed, no file system asked that could stall us.
//                                              not-found, crossed-mount
//  5. What the descriptor, and from here on nothing but it, says of the file:
//     a socket, with one name, private, fresh, and owned by the one who
//     connected.        not-a-socket, linked, mode, stale, uid-mismatch
//
// Step 4 may have to wait: whoever creates or removes a file there holds the
// directory's lock for as long as the scheduler keeps it from running. So the
// thread that accepts asks only what the kernel has cached (RESOLVE_CACHED, Linux
// 5.12), which takes no lock, and the file of a client that has just bound it is
// cached. Where the answer is not, `examine_file` asks on another thread. Step 5
// takes the attributes that the kernel has (AT_STATX_DONT_SYNC), so that no
// network file system is asked for them; it is this kernel that made the file.
// What remains: closing a file whose client removes it in that very moment frees
// it. On tmpfs, where the client directory lies by default, nothing waits for
// that; on a disk, it may wait for the file system's journal.
//
// Access rules and quotas (access.hpp, quota.hpp) are asked after this, and
// only for a client that passed everything is the file removed.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <upcase/client_directory.hpp>
#include <upcase/peer.hpp>
#include <upcase/verdict.hpp>

namespace upcase {

enum class credential_source {
  file,    ///< the client's socket file, corroborated by SO_PEERCRED
  kernel,  ///< SO_PEERCRED alone: steps 1 and 3 to 5 are left out
};

enum class client_mode {
  private_,  ///< rwx for the owner and nothing for anybody else
  any,
};

struct credential_policy {
  credential_source source = credential_source::file;
  client_mode mode = client_mode::private_;
  std::chrono::nanoseconds max_age = std::chrono::seconds(30);  ///< 0: no limit
  uid_t overflow = overflow_uid();
};

/// A client's address as accept4(2) or getpeername(2) gave it. One byte longer than
/// sockaddr_un, because the kernel counts a NUL that a full path leaves no
/// room for: Asio's endpoint type throws on such a client, this one does not.
struct client_name {
  alignas(sockaddr_un) char bytes[sizeof(sockaddr_un) + 1] = {};
  socklen_t size = 0;

  /// Empty for an unnamed or abstract one.
  [[nodiscard]] std::string_view path() const noexcept;
};

/// What the check found.
struct finding {
  verdict why = verdict::allowed;
  peer who;          ///< known for every verdict
  client_name name;  ///< as far as the client has one

  /// Where its file lies, and which one it is there.
  std::shared_ptr<const file_descriptor> directory = nullptr;
  std::uint64_t inode = 0;

  /// Steps 4 and 5 are still to be made, by `examine_file`: there is no verdict yet.
  bool file_unknown = false;

  /// Set when the system, not the client, failed (no descriptors, no memory):
  /// there is no verdict yet, and the same question may be asked again.
  std::error_code system_error;
};

/// Runs the check on a connected socket and its peer's name. Never blocks: it
/// leaves out what would (`file_unknown`). `now` is wall-clock time, the clock of
/// file times.
finding check_credentials(int socket, const client_name& name,
                          std::span<const client_directory> directories,
                          const credential_policy& policy,
                          std::chrono::system_clock::time_point now);

/// Makes steps 4 and 5 where `check_credentials` left them out. May block for as
/// long as a file system, or another user, likes. Any thread.
void examine_file(finding& found, const credential_policy& policy,
                  std::chrono::system_clock::time_point now) noexcept;

/// Removes the file of a client that passed, as the book's server does, unless
/// another file bears its name by now. May block, likewise. Any thread. Not removing
/// it (a directory that is not ours) is no error: its owner will.
void remove_client_file(const finding& passed) noexcept;

/// Whether this kernel has what step 4 needs (openat2, Linux 5.6).
bool kernel_can_check_files() noexcept;

// The decisions by themselves, for tests and for the curious:

/// Step 1.
verdict judge_name(const client_name& name) noexcept;

/// Step 3. On success `directory` is the index of the one that holds the file
/// and `file` its name there, a view into `path`.
struct location {
  verdict why = verdict::allowed;
  std::size_t directory = 0;
  std::string_view file = {};
};
location locate(std::string_view path, std::span<const client_directory> directories) noexcept;

/// Step 5.
verdict judge_file(const struct stat& file, const peer& who, const credential_policy& policy,
                   std::chrono::system_clock::time_point now) noexcept;

}  // namespace upcase
