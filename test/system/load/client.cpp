// client: send, receive, compare.

#include "client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <sys/socket.h>

#include "pattern.hpp"

namespace load {
namespace {

std::array<char, 65536> buffer;  // one thread, one client at a time

bool would_block() noexcept { return errno == EAGAIN || errno == EINTR; }

}  // namespace

std::size_t client::send(std::size_t most) {
  if (closed()) {
    return 0;
  }
  const std::span<char> bytes = std::span(buffer).first(std::min(most, buffer.size()));
  fill(bytes, number_, sent_);
  const ssize_t result = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (result < 0) {
    if (!would_block()) {
      hang_up();
    }
    return 0;
  }
  if (due() == 0) {
    waiting_since_ = clock::now();
  }
  sent_ += static_cast<std::uint64_t>(result);
  return static_cast<std::size_t>(result);
}

std::size_t client::receive(std::size_t most) {
  if (closed()) {
    return 0;
  }
  const ssize_t result = ::recv(fd(), buffer.data(), std::min(most, buffer.size()), 0);
  if (result <= 0) {
    if (result == 0 || !would_block()) {
      hang_up();
    }
    return 0;
  }
  const auto now = clock::now();
  const auto count = static_cast<std::size_t>(result);
  wrong_ += count_wrong(std::span(buffer).first(count), number_, received_);
  // What was never asked for is wrong, even if it were to match.
  wrong_ += count - std::min<std::uint64_t>(count, due());
  pause_ = std::max(pause_, now - waiting_since_);
  waiting_since_ = now;
  received_ += count;
  return count;
}

void client::hang_up() noexcept { socket_.reset(); }

clock::duration client::pause() const noexcept {
  return due() == 0 ? pause_ : std::max(pause_, clock::now() - waiting_since_);
}

void client::forget_pauses() noexcept { pause_ = {}; }

}  // namespace load
