// client: one connection that sends its pattern and checks what comes back.
//
// Its pause is the longest time for which an answer was due and not a byte
// came. That, and not the gap between two messages, is what somebody at the
// other end of a restart would notice.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <upcase/file_descriptor.hpp>
#include <utility>

namespace load {

using clock = std::chrono::steady_clock;

class client {
 public:
  /// Takes a connected, non-blocking socket.
  client(std::uint64_t number, upcase::file_descriptor socket) noexcept
      : number_(number), socket_(std::move(socket)) {}

  /// Sends the next `most` bytes, or as many as the pipe takes: how many.
  std::size_t send(std::size_t most);

  /// Receives and checks what is there, `most` bytes at most: how many.
  std::size_t receive(std::size_t most);

  /// The connection's end, as seen by epoll.
  void hang_up() noexcept;

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] bool closed() const noexcept { return !socket_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  [[nodiscard]] std::uint64_t wrong() const noexcept { return wrong_; }

  /// Bytes whose answer is still due; none where it can no longer come.
  [[nodiscard]] std::uint64_t due() const noexcept {
    return closed() || received_ > sent_ ? 0 : sent_ - received_;
  }

  /// The longest pause so far, one that still lasts included.
  [[nodiscard]] clock::duration pause() const noexcept;

  /// From here on pauses are counted anew.
  void forget_pauses() noexcept;

 private:
  std::uint64_t number_;
  upcase::file_descriptor socket_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t wrong_ = 0;
  clock::time_point waiting_since_;  // while an answer is due
  clock::duration pause_{};          // the longest that is over
};

}  // namespace load
