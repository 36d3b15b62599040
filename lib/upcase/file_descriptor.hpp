// file_descriptor: one open file, closed exactly once.
//
// Everything below the session is a descriptor handed from owner to owner:
// accepted by the server, judged by the credential check, kept by a stream.
// A move-only owner makes each hand-over visible and each error path safe.

#pragma once

#include <unistd.h>
#include <utility>

namespace upcase {

/// Owns an open file descriptor; -1 means none. Not thread-safe by itself.
class file_descriptor {
 public:
  file_descriptor() noexcept = default;
  explicit file_descriptor(int fd) noexcept : fd_(fd) {}
  file_descriptor(file_descriptor&& other) noexcept : fd_(other.release()) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    if (this != &other) {
      reset(other.release());
    }
    return *this;
  }
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Gives the descriptor away; the caller closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  /// Closes what is held. close(2) is never retried: on Linux the descriptor
  /// is gone even when it reports EINTR.
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace upcase
