// system_calls: what several callers of the system need in the same form.

#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>

namespace upcase {

/// What an errno means, for people: "No such file or directory". Thread-safe,
/// unlike strerror(3).
inline std::string describe(int error) { return std::generic_category().message(error); }

/// The longest path that a socket can be bound to: sun_path less its NUL.
inline constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

/// The address for bind(2) and connect(2); nothing if the path is longer.
inline std::optional<sockaddr_un> socket_address(const std::string& path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() > longest_socket_path) {
    return std::nullopt;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// The same, as those calls take it.
inline const sockaddr* as_sockaddr(const sockaddr_un& address) noexcept {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace upcase
