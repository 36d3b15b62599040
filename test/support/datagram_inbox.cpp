// datagram_inbox: bind, poll, receive.

#include "support/datagram_inbox.hpp"

#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

#include "support/client.hpp"

namespace test {

datagram_inbox::datagram_inbox(const std::filesystem::path& path)
    : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  if (!socket_) {
    throw std::system_error(errno, std::generic_category(), "socket");
  }
  bind_to(socket_.get(), path, 0777);
}

std::optional<std::string> datagram_inbox::next(std::chrono::nanoseconds limit) {
  pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  if (::poll(&ready, 1, static_cast<int>(ms)) != 1) {
    waited_in_vain(limit, "a datagram");
    return std::nullopt;
  }
  std::string datagram(65536, '\0');
  const ssize_t size = ::recv(socket_.get(), datagram.data(), datagram.size(), 0);
  if (size < 0) {
    return std::nullopt;
  }
  datagram.resize(static_cast<std::size_t>(size));
  return datagram;
}

}  // namespace test
