// client_socket: bind, then connect.

#include <upcase/client_socket.hpp>

#include <cerrno>
#include <cstdint>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <upcase/system_calls.hpp>
#include <utility>

namespace upcase {
namespace {

using kind = connect_error::kind;

sockaddr_un address_of(const std::string& path, kind blame) {
  const auto address = socket_address(path);
  if (!address) {
    throw connect_error(blame, fmt::format("the path '{}' has {} bytes; a socket's may have {}",
                                           path, path.size(), longest_socket_path));
  }
  return *address;
}

std::string random_name() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) {
    throw connect_error(kind::system, fmt::format("no random numbers: {}", describe(errno)));
  }
  return fmt::format("upcase-{:016x}", number);
}

int bind_private(int socket, const sockaddr_un& address) {
  const mode_t previous = ::umask(S_IRWXG | S_IRWXO);
  const int result = ::bind(socket, as_sockaddr(address), sizeof address) == 0 ? 0 : errno;
  ::umask(previous);
  return result;
}

timeval to_timeval(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::ceil<std::chrono::microseconds>(time - seconds);
  return {.tv_sec = seconds.count(), .tv_usec = rest.count()};
}

}  // namespace

client_socket::client_socket(std::filesystem::path server,
                             const std::filesystem::path& client_directory)
    : server_(std::move(server)), socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (!socket_) {
    throw connect_error(kind::system, fmt::format("cannot make a socket: {}", describe(errno)));
  }
  // No file where nobody listens: the commonest mistake leaves no trace.
  if (struct stat status{}; ::stat(server_.c_str(), &status) != 0) {
    throw connect_error(
        errno == EACCES ? kind::forbidden : kind::no_daemon,
        fmt::format("no daemon to be seen at '{}': {}", server_.native(), describe(errno)));
  }
  const std::string file = (client_directory / random_name()).native();
  if (const int error = bind_private(socket_.get(), address_of(file, kind::client_directory));
      error != 0) {
    throw connect_error(kind::client_directory,
                        fmt::format("cannot make a socket file in '{}': {}",
                                    client_directory.native(), describe(error)));
  }
  path_ = file;
}

void client_socket::connect(std::chrono::nanoseconds timeout) {
  const sockaddr_un address = address_of(server_.native(), kind::no_daemon);
  // Linux applies the send timeout to connect(2) as well (socket(7)).
  const timeval limit = to_timeval(timeout);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  while (::connect(socket_.get(), as_sockaddr(address), sizeof address) != 0) {
    if (errno == EAGAIN) {
      throw connect_error(
          kind::timed_out,
          fmt::format("the daemon at '{}' is full and took nobody in {:.1f} s", server_.native(),
                      std::chrono::duration<double>(timeout).count()));
    }
    if (errno == EACCES) {
      throw connect_error(kind::forbidden, fmt::format("cannot connect to '{}': {}",
                                                       server_.native(), describe(errno)));
    }
    if (errno != EINTR) {  // an interrupted connect has begun nothing on a Unix socket
      throw connect_error(kind::no_daemon, fmt::format("no daemon answers at '{}': {}",
                                                       server_.native(), describe(errno)));
    }
  }
}

client_socket::~client_socket() { ::unlink(path_.c_str()); }

bool client_socket::has_file() const noexcept {
  struct stat status {};
  return ::lstat(path_.c_str(), &status) == 0;
}

peer client_socket::server() const noexcept { return peer_of(socket_.get()).value_or(peer{}); }

}  // namespace upcase
