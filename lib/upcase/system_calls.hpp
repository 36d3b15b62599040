// system_calls: what several callers of the system need in the same form.

#pragma once

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>

namespace upcase {

/// What an errno means, for people: "No such file or directory". Thread-safe,
/// unlike strerror(3), and asks for no memory, of which there may be none.
inline std::string_view describe(int error) noexcept {
  const char* text = ::strerrordesc_np(error);
  return text != nullptr ? text : "Unknown error";
}

/// A variable of the environment; empty if it is not set, for nobody means
/// anything else by an empty one.
inline std::string_view environment(const char* name) noexcept {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody calls setenv
  return value != nullptr ? std::string_view(value) : std::string_view();
}

/// The same of a path; empty if it is not absolute, which is as good as none (XDG
/// Base Directory Specification, section 3).
inline std::string_view absolute_from_environment(const char* name) noexcept {
  const std::string_view value = environment(name);
  return value.starts_with('/') ? value : std::string_view();
}

/// Whether colour is welcome there: a terminal, unless NO_COLOR is set
/// (no-color.org).
inline bool wants_colour(int fd) noexcept {
  return ::isatty(fd) == 1 && environment("NO_COLOR").empty();
}

/// An eventfd(2), by which threads wake each other. Throws std::system_error where
/// descriptors are missing.
inline file_descriptor make_eventfd() {
  file_descriptor result(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!result) {
    throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  return result;
}

/// Makes one readable. Any thread. Fails only when its count is full, and then it
/// is readable already.
inline void ring(int eventfd) noexcept { ::eventfd_write(eventfd, 1); }

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

/// The errno with which connect(2) refuses a socket of the wrong type; 0 if it
/// cannot be asked. EPROTOTYPE: a process has a socket at `path`. The
/// probe does not disturb that process, and starts no service of systemd's.
inline int probe_socket(const std::string& path) noexcept {
  const auto address = socket_address(path);
  const file_descriptor other_type(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return !address || !other_type ||
                 ::connect(other_type.get(), as_sockaddr(*address), sizeof *address) == 0
             ? 0
             : errno;
}

}  // namespace upcase
