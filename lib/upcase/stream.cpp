// stream: recv(2) and send(2), and what to wait for next.

#include <upcase/stream.hpp>

#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

namespace upcase {
namespace {

// While the buffer comes back full there is more: read on without asking, but
// only so often, for other clients wait too.
constexpr std::uint8_t most_rounds = 4;

bool would_block(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

std::string_view to_string(end_reason why) noexcept {
  switch (why) {
    case end_reason::open:
      return "open";
    case end_reason::closed:
      return "closed";
    case end_reason::reset:
      return "reset";
    case end_reason::idle_timeout:
      return "idle-timeout";
    case end_reason::write_timeout:
      return "write-timeout";
    case end_reason::drained:
      return "drained";
    case end_reason::aborted:
      return "aborted";
    case end_reason::denied:
      return "denied";
    case end_reason::over_quota:
      return "over-quota";
    case end_reason::failed:
      break;
  }
  return "failed";
}

stream::stream(event_loop& loop, file_descriptor socket, ready_target& target, deadline& limit)
    : loop_(loop), target_(target), limit_(limit), socket_(std::move(socket)) {
  loop_.ready_set().add(socket_.get(), interest_, target_);
}

bool stream::begin_read() noexcept {
  const bool more_is_likely = input_.size() == event_loop::buffer_size;
  input_ = {};
  if (ended_ != end_reason::open) {
    return true;
  }
  return more_is_likely && rounds_ < most_rounds && receive();
}

bool stream::receive() noexcept {
  const std::span<char> buffer = loop_.buffer();
  ++rounds_;
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) {
      input_ = buffer.first(static_cast<std::size_t>(got));
      bytes_in_ += input_.size();
      return true;
    }
    if (got == 0) {
      end(finishing_ ? end_reason::drained : end_reason::closed);
      return true;
    }
    if (would_block(errno)) {
      return false;
    }
    if (errno != EINTR) {
      end(end_reason::reset);
      return true;
    }
  }
}

bool stream::begin_write(std::span<const char> bytes) {
  if (broken_) {
    return true;
  }
  const std::size_t sent = send(bytes);
  if (broken_ || sent == bytes.size()) {
    return true;
  }
  const auto rest = bytes.subspan(sent);
  pending_.assign(rest.begin(), rest.end());
  pending_sent_ = 0;
  return false;
}

std::size_t stream::send(std::span<const char> bytes) noexcept {
  for (;;) {
    const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes_out_ += static_cast<std::uint64_t>(sent);
      return static_cast<std::size_t>(sent);
    }
    if (would_block(errno)) {
      return 0;
    }
    if (errno != EINTR) {
      end(end_reason::reset);
      return 0;
    }
  }
}

void stream::send_pending() {
  const std::size_t sent = send(std::span(pending_).subspan(pending_sent_));
  pending_sent_ += sent;
  if (broken_ || pending_sent_ == pending_.size()) {
    pending_ = {};  // gives the memory back: most clients never need it again
  } else if (sent > 0) {
    loop_.set_deadline(limit_, loop_.timeouts().write);
  }
}

void stream::wait_for_input(std::coroutine_handle<> coroutine) {
  loop_.set_deadline(limit_, loop_.timeouts().idle);
  set_interest(EPOLLIN);
  rounds_ = 0;
  for_ = waiting::input;
  waiting_ = coroutine;
}

void stream::wait_for_room(std::coroutine_handle<> coroutine) {
  loop_.set_deadline(limit_, loop_.timeouts().write);
  set_interest(EPOLLOUT);
  for_ = waiting::room;
  waiting_ = coroutine;
}

void stream::progress() {
  if (for_ == waiting::input) {
    if (receive()) {
      resume();
    }
  } else if (for_ == waiting::room) {
    send_pending();
    if (pending_.empty()) {
      resume();
    }
  }
}

void stream::time_out() {
  abort(for_ == waiting::room ? end_reason::write_timeout : end_reason::idle_timeout);
}

void stream::finish_input() noexcept {
  // Data already queued stays readable after SHUT_RD on a Unix socket, and
  // then recv reports the end; the client's further writes fail with EPIPE.
  // So what is owed is exactly what had been sent by now.
  finishing_ = true;
  ::shutdown(socket_.get(), SHUT_RD);
}

void stream::abort(end_reason why) {
  end(why);
  broken_ = true;
  pending_ = {};
  input_ = {};
  if (for_ != waiting::nothing) {
    resume();
  }
}

void stream::restart_deadline() {
  if (for_ != waiting::nothing) {
    loop_.set_deadline(limit_,
                       for_ == waiting::room ? loop_.timeouts().write : loop_.timeouts().idle);
  }
}

void stream::set_interest(std::uint32_t events) noexcept {
  if (interest_ != events) {
    interest_ = events;
    loop_.ready_set().change(socket_.get(), events, target_);
  }
}

void stream::end(end_reason why) noexcept {
  if (ended_ == end_reason::open) {
    ended_ = why;
  }
  broken_ = broken_ || why == end_reason::reset;
}

void stream::resume() {
  for_ = waiting::nothing;
  std::exchange(waiting_, nullptr).resume();
}

}  // namespace upcase
