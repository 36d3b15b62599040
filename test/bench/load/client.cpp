// client: the system calls of one client.

#include "client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <system_error>
#include <thread>
#include <upcase/system_calls.hpp>

namespace bench {
namespace {

// As many messages as one sendmmsg(2) is given.
constexpr std::size_t most_messages = 64;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_un address_of(const std::filesystem::path& path) {
  const auto address = upcase::socket_address(path.native());
  if (!address) {
    throw std::length_error(path.native() + ": too long for a socket");
  }
  return *address;
}

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

// Sends one message or the rest of one; most loads need no more.
void send_one(int socket, std::size_t rest, progress& at, const pattern& bytes) {
  const auto message = bytes.sent(at.entry + at.sent, rest);
  const ssize_t sent = ::send(socket, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) {
    at.sent += static_cast<std::uint64_t>(sent);
  } else if (!would_block(errno)) {
    fail("send");
  }
}

}  // namespace

upcase::file_descriptor connect(const std::filesystem::path& server,
                                const std::filesystem::path& file) {
  upcase::file_descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    fail("socket");
  }
  const sockaddr_un own = address_of(file);
  const sockaddr_un other = address_of(server);
  if (::bind(socket.get(), upcase::as_sockaddr(own), sizeof own) != 0) {
    fail("bind");
  }
  // Bounds the wait for room in the backlog.
  const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (::connect(socket.get(), upcase::as_sockaddr(other), sizeof other) != 0) {
    const bool not_yet = errno == ENOENT || errno == ECONNREFUSED;
    if (!not_yet || std::chrono::steady_clock::now() > deadline) {
      fail("connect");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  return socket;
}

std::size_t receive(int socket, std::span<char> buffer, progress& at, const pattern& bytes) {
  const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) {
    if (would_block(errno)) {
      return 0;
    }
    fail("recv");
  }
  if (got == 0) {
    throw std::runtime_error(
        fmt::format("the server closed after {} of {} bytes", at.received, at.sent));
  }
  const auto count = static_cast<std::size_t>(got);
  if (at.received + count > at.sent) {
    throw std::runtime_error("more bytes came back than were sent");
  }
  if (!bytes.matches(at.entry + at.received, buffer.first(count))) {
    throw std::runtime_error(fmt::format("wrong bytes after {} right ones", at.received));
  }
  at.received += count;
  return count;
}

void send(int socket, std::size_t count, std::size_t size, progress& at, const pattern& bytes) {
  const std::size_t rest = size - at.sent % size;
  if (count <= 1) {
    send_one(socket, rest, at, bytes);
    return;
  }
  std::array<mmsghdr, most_messages> messages{};
  std::array<iovec, most_messages> parts{};
  count = std::min(count, most_messages);
  std::uint64_t position = at.entry + at.sent;
  for (std::size_t i = 0; i < count; ++i) {
    const auto message = bytes.sent(position, i == 0 ? rest : size);
    position += message.size();
    // sendmmsg only reads.
    parts.at(i) = {.iov_base = const_cast<char*>(message.data()), .iov_len = message.size()};
    messages.at(i).msg_hdr.msg_iov = &parts.at(i);
    messages.at(i).msg_hdr.msg_iovlen = 1;
  }
  const int sent = ::sendmmsg(socket, messages.data(), static_cast<unsigned>(count),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && !would_block(errno)) {
    fail("sendmmsg");
  }
  for (int i = 0; i < sent; ++i) {
    at.sent += messages.at(static_cast<std::size_t>(i)).msg_len;
  }
}

void half_close(int socket) { ::shutdown(socket, SHUT_WR); }

void finish(int socket, std::span<char> buffer, progress& at, const pattern& bytes) {
  for (;;) {
    pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) != 1) {
      throw std::runtime_error(
          fmt::format("{} of {} bytes came back, and no end", at.received, at.sent));
    }
    if (at.received == at.sent) {
      char one_more = 0;
      const ssize_t got = ::recv(socket, &one_more, 1, MSG_DONTWAIT);
      if (got > 0) {
        throw std::runtime_error("more bytes came back than were sent");
      }
      if (got == 0) {
        return;
      }
      fail("recv");
    }
    receive(socket, buffer, at, bytes);
  }
}

}  // namespace bench
