// verdict: the one list of answers to "may this client be served?".
//
// The log, the tests and the manual all speak these words. Every way in which
// a client can be refused has its own, so that a refusal is never a riddle:
// the administrator filters by it, the client's author looks it up.

#pragma once

#include <cstdint>
#include <string_view>

namespace upcase {

/// In the order in which they are decided (see credentials.hpp): the first
/// failure is the verdict.
enum class verdict : std::uint8_t {
  allowed,
  unnamed,        ///< the client bound no socket file
  abstract,       ///< it bound an abstract name: no file, no owner
  too_long,       ///< its path fills sun_path without room for the final NUL
  unmapped_uid,   ///< it comes from a user namespace that we cannot tell apart
  relative,       ///< its path does not begin at the root
  outside,        ///< its file is not directly in a client directory
  not_found,      ///< no such file can be seen there now
  crossed_mount,  ///< something is mounted over its name
  not_a_socket,   ///< the name now belongs to another kind of file
  linked,         ///< the socket has further names (hard links)
  mode,           ///< others may use the file, or its owner may not
  stale,          ///< it was made too long before the connection
  uid_mismatch,   ///< the file's owner is not who connected
  busy,           ///< too many wait for their files to be examined
  denied,         ///< access rules
  over_quota,     ///< this user has enough connections already
};

/// The word for it, as in the log and the manual: "uid-mismatch".
std::string_view to_string(verdict why) noexcept;

/// One clause for people: what was found, and so what to change.
std::string_view explain(verdict why) noexcept;

}  // namespace upcase
