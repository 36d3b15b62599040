// client_socket: bind, then connect.

#include <upcase/client_socket.hpp>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <upcase/own_directory.hpp>
#include <upcase/system_calls.hpp>
#include <utility>

namespace upcase {
namespace {

using kind = connect_error::kind;

sockaddr_un address_of(const std::string& path, kind blame) {
  const auto address = socket_address(path);
  if (!address) {
    throw connect_error(blame,
                        fmt::format("the path '{}' has {} bytes; a socket's may have {}", path,
                                    path.size(), longest_socket_path),
                        ENAMETOOLONG);
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

file_descriptor open_directory(const std::filesystem::path& path) {
  file_descriptor result(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!result || ::fstat(result.get(), &status) != 0) {
    const int error = errno;
    throw connect_error(
        kind::client_directory,
        fmt::format("cannot open the directory '{}': {}", path.native(), describe(error)), error);
  }
  if (others_may_rename_in(status)) {
    throw connect_error(kind::client_directory,
                        fmt::format("others may write in '{}' and it is not sticky, so that they "
                                    "could remove our socket file; 'chmod 1733 {}' mends that",
                                    path.native(), path.native()));
  }
  return result;
}

// Where the file that `socket` is bound to lies now, if the kernel tells, which
// it does those with CAP_NET_ADMIN; else where its path leads now.
std::filesystem::path directory_of(int socket, const std::filesystem::path& path) {
  constexpr unsigned long open_bound_file = SIOCPROTOPRIVATE;  // SIOCUNIXFILE of linux/un.h
  const file_descriptor file(::ioctl(socket, open_bound_file));
  std::array<char, PATH_MAX> target{};
  const std::string link = fmt::format("/proc/self/fd/{}", file.get());
  const ssize_t length = file ? ::readlink(link.c_str(), target.data(), target.size()) : -1;
  const std::filesystem::path found =
      length > 0 ? std::filesystem::path(target.data(), target.data() + length) : path;
  return found.parent_path();
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
  make_file(client_directory);
}

void client_socket::make_file(const std::filesystem::path& directory) {
  directory_ = open_directory(directory);
  const std::string name = random_name();
  path_ = (directory / name).native();
  if (const int error = bind_private(socket_.get(), address_of(path_, kind::client_directory));
      error != 0) {
    throw connect_error(
        kind::client_directory,
        fmt::format("cannot make a socket file in '{}': {}", directory.native(), describe(error)),
        error);
  }
  if (const auto made = client_file::find(directory_.get(), name)) {
    file_ = *made;
    return;
  }
  const auto where = directory_of(socket_.get(), path_);
  const file_descriptor elsewhere(::open(where.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const client_file stray = client_file::find(elsewhere.get(), name).value_or(client_file());
  const bool found = stray.is_there();
  stray.remove();
  throw connect_error(
      kind::system,
      fmt::format("'{}' was replaced while we made our socket file in it; the file '{}' {}",
                  directory.native(), found ? (where / name).native() : name,
                  found && !stray.is_there() ? "is removed again" : "may be left where that led"));
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

client_socket::~client_socket() { file_.remove(); }

bool client_socket::is_half_closed() const noexcept {
  int unread = 0;
  pollfd state{.fd = socket_.get(), .events = 0, .revents = 0};
  return (::ioctl(socket_.get(), SIOCOUTQ, &unread) == 0 && unread > 0) ||
         ::poll(&state, 1, 0) == 0;
}

bool client_socket::server_is_there() const noexcept {
  const int error = probe_socket(server_.native());
  return error != ECONNREFUSED && error != ENOENT;
}

peer client_socket::server() const noexcept { return peer_of(socket_.get()).value_or(peer{}); }

}  // namespace upcase
