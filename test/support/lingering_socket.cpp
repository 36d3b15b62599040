// lingering_socket: small buffers, filled.

#include "support/lingering_socket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>

namespace test {
namespace {

void require(bool done, const char* what) {
  if (!done) {
    throw std::system_error(errno, std::generic_category(), what);
  }
}

void set_size(int socket, int option) {
  const int smallest = 1;
  ::setsockopt(socket, SOL_SOCKET, option, &smallest, sizeof smallest);
}

// Until even the acknowledgements under way have made no more room.
void fill(int socket) {
  const std::array<char, 4096> block{};
  for (int quiet = 0; quiet < 3;) {
    if (::send(socket, block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL) <= 0) {
      ++quiet;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

}  // namespace

lingering_socket::lingering_socket(std::chrono::seconds lingers)
    : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const upcase::file_descriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const at = reinterpret_cast<sockaddr*>(&address);
  set_size(listening.get(), SO_RCVBUF);
  set_size(socket.get(), SO_SNDBUF);
  require(::bind(listening.get(), at, size) == 0 && ::listen(listening.get(), 1) == 0 &&
              ::getsockname(listening.get(), at, &size) == 0 &&
              ::connect(socket.get(), at, size) == 0,
          "connect over loopback");
  other_end.reset(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  require(static_cast<bool>(other_end), "accept4");
  fill(socket.get());
  const linger value{.l_onoff = 1, .l_linger = static_cast<int>(lingers.count())};
  require(::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &value, sizeof value) == 0,
          "SO_LINGER");
}

int send_descriptors(int to, const std::vector<int>& descriptors, int flags) {
  char byte = 'x';
  iovec bytes{.iov_base = &byte, .iov_len = 1};
  const std::size_t size = descriptors.size() * sizeof(int);
  std::vector<char> control(CMSG_SPACE(size));
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(rights), descriptors.data(), size);
  return ::sendmsg(to, &header, flags | MSG_NOSIGNAL) < 0 ? errno : 0;
}

}  // namespace test
