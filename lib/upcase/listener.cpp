// listener: lock, look, bind.

#include <upcase/listener.hpp>

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/system_calls.hpp>
#include <utility>

namespace upcase {
namespace {

[[noreturn]] void fail(std::string_view what, const std::filesystem::path& path) {
  throw listen_error(false,
                     fmt::format("cannot {} '{}': {}", what, path.native(), describe(errno)));
}

sockaddr_un address_of(const std::filesystem::path& path) {
  const auto address = socket_address(path.native());
  if (!address) {
    errno = ENAMETOOLONG;
    fail("listen on", path);
  }
  return *address;
}

bool is_at(int fd, const std::filesystem::path& path) noexcept {
  struct stat held {};
  struct stat named {};
  return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

// The lock file is removed by whoever holds it, so one that was opened may be
// gone by the time it is locked: look again whether the name leads to it.
file_descriptor acquire_lock(const std::filesystem::path& path,
                             const std::filesystem::path& served) {
  for (;;) {
    file_descriptor lock(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!lock) {
      fail("open the lock file", path);
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) {
        throw listen_error::running(served);
      }
      fail("lock", path);
    }
    if (is_at(lock.get(), path)) {
      return lock;
    }
  }
}

// Under the lock: makes way for a bind, or throws.
void remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) {
      return;
    }
    fail("examine", path);
  }
  if (!S_ISSOCK(status.st_mode)) {
    throw listen_error(false, fmt::format("'{}' exists and is not a socket; it stays untouched, "
                                          "name another path with --socket",
                                          path.native()));
  }
  // Non-blocking: a living daemon with a full backlog answers EAGAIN.
  const file_descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), as_sockaddr(address), sizeof address) == 0 || errno == EAGAIN) {
    throw listen_error::running(path);
  }
  if (errno != ECONNREFUSED) {
    fail("find out whether anybody serves", path);
  }
  if (::unlink(path.c_str()) != 0) {
    fail("remove the stale socket", path);
  }
}

int bind_with_mode(int socket, const sockaddr_un& address, mode_t mode) {
  const mode_t previous = ::umask(ACCESSPERMS & ~mode);
  const int result = ::bind(socket, as_sockaddr(address), sizeof address);
  ::umask(previous);
  return result;
}

}  // namespace

listen_error listen_error::running(const std::filesystem::path& path) {
  return {true, fmt::format("already running: another daemon serves '{}'", path.native())};
}

listener::listener(std::filesystem::path path, mode_t mode, int backlog)
    : path_(std::move(path)), lock_path_(path_.native() + ".lock") {
  const sockaddr_un address = address_of(path_);
  lock_ = acquire_lock(lock_path_, path_);
  try {
    remove_stale(path_, address);
    socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_ || bind_with_mode(socket_.get(), address, mode) != 0) {
      fail("bind", path_);
    }
    find_file();
    listen(backlog);
  } catch (...) {
    ::unlink(lock_path_.c_str());
    throw;
  }
}

listener::listener(file_descriptor inherited, file_descriptor lock, std::filesystem::path path)
    : path_(std::move(path)),
      lock_path_(path_.native() + ".lock"),
      lock_(std::move(lock)),
      socket_(std::move(inherited)) {
  if (!is_at(lock_.get(), lock_path_) || ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    lock_.reset();
  }
  find_file();
}

std::vector<std::string> listener::renew(mode_t mode, int backlog) {
  std::vector<std::string> undone;
  const auto attempt = [&](const auto& step) {
    try {
      step();
    } catch (const listen_error& error) {
      undone.emplace_back(error.what());
    }
  };
  attempt([&] {
    if (!lock_) {
      lock_ = acquire_lock(lock_path_, path_);
    }
  });
  attempt([&] {
    if (!find_file()) {
      throw listen_error(false, fmt::format("no socket stands at '{}' any more, so that nobody "
                                            "else can connect; stop and start the daemon",
                                            path_.native()));
    }
    if (::chmod(path_.c_str(), mode) != 0) {
      fail("set the mode of", path_);
    }
  });
  attempt([&] { listen(backlog); });
  return undone;
}

bool listener::find_file() noexcept {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
    return false;
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
  return true;
}

void listener::listen(int backlog) {
  if (::listen(socket_.get(), backlog) != 0) {
    fail("listen on", path_);
  }
}

listener::~listener() {
  // What an inherited socket's path leads to is ours only under the lock.
  if (!lock_) {
    return;
  }
  if (struct stat status{}; owns_socket_ && ::lstat(path_.c_str(), &status) == 0 &&
                            status.st_dev == device_ && status.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  if (owns_lock_ && is_at(lock_.get(), lock_path_)) {
    ::unlink(lock_path_.c_str());
  }
}

}  // namespace upcase
