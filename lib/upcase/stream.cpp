// stream: recv(2) and send(2), and what to wait for next.

#include <upcase/stream.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <upcase/unread_output.hpp>
#include <utility>

namespace upcase {
namespace {

// While the buffer comes back full there is more: read on without asking, but
// only so often, for other clients wait too.
constexpr std::uint8_t most_rounds = 4;

// Likewise for a handler that writes on and on to a client that reads as fast:
// twice what it could have read. Small writes take their time too.
constexpr std::size_t most_written = event_loop::buffer_size * 2 * most_rounds;
constexpr std::size_t least_counted = 4096;

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
    case end_reason::sent_descriptors:
      return "sent-descriptors";
    case end_reason::failed:
      break;
  }
  return "failed";
}

stream::stream(event_loop& loop, client_descriptor socket, bool guarded, stream_state state,
               ready_target& target, deadline& limit)
    : loop_(loop),
      target_(target),
      limit_(limit),
      socket_(std::move(socket)),
      state_(std::move(state)),
      guarded_(guarded) {
  if (guarded_) {
    read_urgent_data_inline(socket_.get());
  }
  loop_.ready_set().add(socket_.get(), interest_, target_);
}

stream::~stream() {
  if (socket_) {
    loop_.ready_set().remove(socket_.get());
  }
  if (emptied_) {
    close_here(socket_.release());
  }
}

bool stream::begin_read() noexcept {
  const bool more_is_likely = input_.size() == event_loop::buffer_size;
  input_ = {};
  if (ended_ != end_reason::open) {
    return true;
  }
  if (!state_.pending.empty()) {
    return false;
  }
  return more_is_likely && rounds_ < most_rounds && receive();
}

bool stream::receive() noexcept {
  const std::span<char> buffer = loop_.buffer();
  ++rounds_;
  for (;;) {
    const auto [got, descriptors] =
        guarded_
            ? receive_guarded(socket_.get(), buffer, loop_.has_room_for_descriptors())
            : reception{.size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)};
    if (descriptors) {
      end(end_reason::sent_descriptors);
      return true;
    }
    if (got > 0) {
      input_ = buffer.first(static_cast<std::size_t>(got));
      state_.bytes_in += input_.size();
      return true;
    }
    if (got == 0) {
      emptied_ = true;
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
  // What was carried here goes first.
  const std::size_t sent = state_.pending.empty() ? send(bytes) : 0;
  if (broken_) {
    return true;
  }
  if (sent < bytes.size()) {
    state_.pending.append(bytes.subspan(sent));
    return false;
  }
  written_ += std::max(sent, least_counted);
  return written_ < most_written;
}

std::size_t stream::send(std::span<const char> bytes) noexcept {
  bytes = bytes.first(std::min(bytes.size(), most_written));
  for (;;) {
    const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      state_.bytes_out += static_cast<std::uint64_t>(sent);
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
  const std::size_t sent = send(state_.pending.bytes());
  state_.pending.consume(sent);
  if (broken_) {
    state_.pending.clear();
  } else if (sent > 0 && !state_.pending.empty()) {
    loop_.set_deadline(limit_, room_timeout());
  }
}

void stream::wait_for_input(std::coroutine_handle<> coroutine) {
  if (!state_.pending.empty()) {
    wait_for_room(coroutine, waiting::room_first);
    return;
  }
  loop_.set_deadline(limit_, loop_.timeouts().idle);
  set_interest(EPOLLIN);
  rounds_ = 0;
  written_ = 0;
  for_ = waiting::input;
  waiting_ = coroutine;
}

void stream::wait_for_room(std::coroutine_handle<> coroutine, waiting reason) {
  loop_.set_deadline(limit_, room_timeout());
  set_interest(EPOLLOUT);
  written_ = 0;
  for_ = reason;
  waiting_ = coroutine;
}

void stream::progress() {
  if (for_ == waiting::input) {
    if (receive()) {
      resume();
    }
    return;
  }
  if (for_ == waiting::nothing) {
    return;
  }
  if (!state_.pending.empty()) {
    send_pending();
  }
  if (!state_.pending.empty()) {
    return;
  }
  if (for_ == waiting::room_first && !broken_) {
    wait_for_input(std::exchange(waiting_, nullptr));
  } else {
    resume();
  }
}

void stream::time_out() {
  if (for_ == waiting::input && unread_output::none(socket_.get())) {
    abort(end_reason::idle_timeout);
    return;
  }
  const std::uint64_t before = state_.bytes_out;
  if (for_ != waiting::input) {
    progress();  // there may be room long before the socket is called writable
  }
  if (for_ == waiting::nothing) {
    return;
  }
  const bool sent = state_.bytes_out != before;
  if (const duration wait = loop_.unread().wait(loop_.now()); wait != duration::zero()) {
    if (!sent) {
      loop_.set_deadline(limit_, wait);
    }
    return;
  }
  const std::uint64_t taken = state_.bytes_out - loop_.unread().count(socket_.get());
  if (std::exchange(taken_, taken) != taken || sent) {
    restart_deadline();
    return;
  }
  const bool idle = for_ == waiting::input || loop_.timeouts().write == duration::zero();
  abort(idle ? end_reason::idle_timeout : end_reason::write_timeout);
}

// Without a limit of its own, a client that takes nothing is still one that is
// idle: no byte moves either way.
duration stream::room_timeout() const noexcept {
  const stream_timeouts& limits = loop_.timeouts();
  return limits.write != duration::zero() ? limits.write : limits.idle;
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
  state_.pending.clear();
  input_ = {};
  if (for_ != waiting::nothing) {
    resume();
  }
}

void stream::restart_deadline() {
  if (for_ != waiting::nothing) {
    loop_.set_deadline(limit_, for_ == waiting::input ? loop_.timeouts().idle : room_timeout());
  }
}

stream::parts stream::release() {
  loop_.ready_set().remove(socket_.get());
  return {.socket = std::move(socket_), .state = std::move(state_)};
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
  broken_ = broken_ || why == end_reason::reset || why == end_reason::sent_descriptors;
}

void stream::resume() {
  for_ = waiting::nothing;
  std::exchange(waiting_, nullptr).resume();
}

}  // namespace upcase
