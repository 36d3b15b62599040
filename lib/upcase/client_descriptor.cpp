// client_descriptor: SO_PASSRIGHTS, or else recvmsg(2) with room for descriptors.

#include <upcase/client_descriptor.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace upcase {
namespace {

// In the headers of Linux 6.16 and later; on all architectures of Debian but
// sparc64 and hppa, where other numbers would be an unknown option.
#ifdef SO_PASSRIGHTS
constexpr int pass_rights = SO_PASSRIGHTS;
#else
constexpr int pass_rights = 83;
#endif

using control_buffer = std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))>;

void close_received(const cmsghdr& rights) noexcept {
  std::array<int, most_descriptors> received{};
  const std::size_t size = std::min(rights.cmsg_len - CMSG_LEN(0), sizeof received);
  std::memcpy(received.data(), CMSG_DATA(&rights), size);
  for (const int fd : std::span(received).first(size / sizeof(int))) {
    close_aside(fd);
  }
}

reception receive_with_room(int socket, std::span<char> buffer) noexcept {
  iovec bytes{.iov_base = buffer.data(), .iov_len = buffer.size()};
  alignas(cmsghdr) control_buffer control;  // NOLINT(*-member-init): the kernel's to fill
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  reception result{.size = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)};
  if (result.size <= 0 || (header.msg_controllen == 0 && (header.msg_flags & MSG_CTRUNC) == 0)) {
    return result;
  }
  result.descriptors = (header.msg_flags & MSG_CTRUNC) != 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
      result.descriptors = true;
      close_received(*part);
    }
  }
  return result;
}

// A peek drops nothing: it has references of its own, and says by MSG_CTRUNC that
// it was given no room for them. What it has seen is read then, and no more.
reception receive_without_room(int socket, std::span<char> buffer) noexcept {
  iovec bytes{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  const ssize_t seen = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_PEEK);
  if (seen <= 0 || (header.msg_flags & MSG_CTRUNC) != 0) {
    return {.size = seen, .descriptors = seen > 0};
  }
  return {.size = ::recv(socket, buffer.data(), static_cast<std::size_t>(seen), MSG_DONTWAIT)};
}

}  // namespace

bool refuse_descriptors(int listening) noexcept {
  const int off = 0;
  return ::setsockopt(listening, SOL_SOCKET, pass_rights, &off, sizeof off) == 0;
}

bool may_hold_descriptors(int socket) noexcept {
  int value = 1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, pass_rights, &value, &size) != 0 || value != 0;
}

void read_urgent_data_inline(int socket) noexcept {
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
}

reception receive_guarded(int socket, std::span<char> buffer, bool room) noexcept {
  return room ? receive_with_room(socket, buffer) : receive_without_room(socket, buffer);
}

void close_connection(int socket) noexcept {
  if (!may_hold_descriptors(socket)) {
    close_here(socket);
    return;
  }
  ::shutdown(socket, SHUT_RDWR);
  close_aside(socket);
}

}  // namespace upcase
