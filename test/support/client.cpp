// client: plain system calls.

#include "support/client.hpp"

#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <linux/sockios.h>
#include <poll.h>
#include <random>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <upcase/system_calls.hpp>

namespace test {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_un address_of(const std::filesystem::path& path) {
  const auto address = upcase::socket_address(path.native());
  if (!address) {
    throw std::length_error(path.native());
  }
  return *address;
}

bool wait_readable(int socket, std::chrono::nanoseconds limit) {
  pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  if (::poll(&ready, 1, static_cast<int>(ms)) == 1) {
    return true;
  }
  waited_in_vain(limit, "a peer's bytes or end");
  return false;
}

}  // namespace

upcase::file_descriptor make_socket() {
  upcase::file_descriptor result(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!result) {
    fail("socket");
  }
  return result;
}

void bind_to(int socket, const std::filesystem::path& path, mode_t mode) {
  const sockaddr_un address = address_of(path);
  const mode_t previous = ::umask(ACCESSPERMS & ~mode);
  const int result = ::bind(socket, upcase::as_sockaddr(address), sizeof address);
  ::umask(previous);
  if (result != 0) {
    fail("bind");
  }
}

void connect_to(int socket, const std::filesystem::path& server) {
  const sockaddr_un address = address_of(server);
  if (::connect(socket, upcase::as_sockaddr(address), sizeof address) != 0) {
    fail("connect");
  }
}

bool listens(const std::filesystem::path& server) {
  const sockaddr_un address = address_of(server);
  const auto probe = make_socket();
  return ::connect(probe.get(), upcase::as_sockaddr(address), sizeof address) == 0;
}

upcase::file_descriptor connect_client(const std::filesystem::path& server,
                                       const std::filesystem::path& directory) {
  static std::atomic<unsigned> serial = 0;
  auto result = make_socket();
  bind_to(result.get(),
          directory / ("c" + std::to_string(::getpid()) + "-" + std::to_string(++serial)));
  connect_to(result.get(), server);
  return result;
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      fail("send");
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string receive(int socket, std::size_t count, std::chrono::nanoseconds limit) {
  std::string result(count, '\0');
  std::size_t have = 0;
  while (have < count && wait_readable(socket, limit)) {
    const ssize_t got = ::recv(socket, result.data() + have, count - have, 0);
    if (got <= 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  result.resize(have);
  return result;
}

std::string receive_to_end(int socket, std::chrono::nanoseconds limit) {
  std::string result;
  for (;;) {
    const std::string part = receive(socket, 65536, limit);
    result += part;
    if (part.size() < 65536) {
      return result;
    }
  }
}

bool refused(int socket, std::chrono::nanoseconds limit) {
  char byte = 0;
  return wait_readable(socket, limit) && ::recv(socket, &byte, 1, 0) <= 0;
}

bool turned_away(int socket, std::chrono::nanoseconds limit) {
  char byte = 0;
  int unread = 0;
  return wait_readable(socket, limit) && ::recv(socket, &byte, 1, 0) == 0 &&
         ::ioctl(socket, SIOCOUTQ, &unread) == 0 && unread > 0;
}

bool served(int socket) {
  // Who was turned away cannot even send.
  constexpr std::string_view question = "hello\n";
  return ::send(socket, question.data(), question.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(question.size()) &&
         receive(socket, question.size()) == "HELLO\n";
}

std::string fill(int socket, unsigned seed) {
  const std::string block = random_bytes(std::size_t{4} << 20U, seed);
  std::size_t sent = 0;
  int answered = 0;
  const auto limit = patience_left();
  const auto end = std::chrono::steady_clock::now() + limit;
  for (int quiet = 0; quiet < 5;) {
    if (std::chrono::steady_clock::now() > end) {
      waited_in_vain(limit, "a daemon that answers until its client must read");
      break;
    }
    const ssize_t part =
        ::send(socket, block.data() + sent, block.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    const int before = answered;
    ::ioctl(socket, SIOCINQ, &answered);
    if (part > 0) {
      sent += static_cast<std::size_t>(part);
      quiet = 0;
    } else {
      // Not as long as answers come, nor before the first.
      quiet = answered > before || answered == 0 ? 0 : quiet + 1;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  return block.substr(0, sent);
}

std::string random_bytes(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::string result(count, '\0');
  for (std::size_t i = 0; i < count; i += 4) {
    const auto word = generator();
    std::memcpy(result.data() + i, &word, std::min<std::size_t>(4, count - i));
  }
  return result;
}

std::string reference_uppercase(std::string bytes) {
  for (char& c : bytes) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return bytes;
}

}  // namespace test
