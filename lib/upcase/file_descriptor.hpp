// file_descriptor: one open file, closed exactly once.
//
// Everything below the session is a descriptor handed from owner to owner:
// accepted by the server, judged by the credential check, kept by a stream.
// A move-only owner makes each hand-over visible and each error path safe.

#pragma once

#include <type_traits>
#include <unistd.h>
#include <utility>

namespace upcase {

/// Closes it where it is called. close(2) is never retried: on Linux the
/// descriptor is gone even when it reports EINTR.
inline void close_here(int fd) noexcept { ::close(fd); }

/// Owns an open file descriptor, which `Close` closes; -1 means none. Not
/// thread-safe by itself.
template <void (*Close)(int) noexcept>
class basic_descriptor {
 public:
  basic_descriptor() noexcept = default;
  explicit basic_descriptor(int fd) noexcept : fd_(fd) {}
  basic_descriptor(basic_descriptor&& other) noexcept : fd_(other.release()) {}
  /// An ordinary descriptor may come under more careful closing, not the
  /// other way round.
  // NOLINTNEXTLINE(google-explicit-constructor): as from any temporary
  basic_descriptor(basic_descriptor<close_here>&& other) noexcept
      requires(!std::is_same_v<basic_descriptor, basic_descriptor<close_here>>)
      : fd_(other.release()) {}
  basic_descriptor& operator=(basic_descriptor&& other) noexcept {
    if (this != &other) {
      reset(other.release());
    }
    return *this;
  }
  basic_descriptor(const basic_descriptor&) = delete;
  basic_descriptor& operator=(const basic_descriptor&) = delete;
  ~basic_descriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Gives the descriptor away; the caller closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  /// Closes what is held.
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) {
      Close(fd_);
    }
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

using file_descriptor = basic_descriptor<close_here>;

}  // namespace upcase
