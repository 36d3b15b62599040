// stream: one client's connection, read and written without blocking.
//
// A coroutine reads as a plain loop:
//
//   for (auto bytes = co_await client.read(); !bytes.empty(); bytes = co_await client.read()) {
//     co_await client.write(bytes);
//   }
//
// `read` waits for bytes; `write` takes all of them, gives the kernel what it
// will take, and waits until the rest is gone too. There is no reading while
// output is pending, which is the back-pressure: a client that does not take
// its answers is not listened to, and what is kept for it is at most what one
// `write` could not place. After an end, `read` yields nothing and `write`
// false, always, so a loop that just goes on comes out.

#pragma once

#include <coroutine>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/epoll.h>
#include <upcase/client_descriptor.hpp>
#include <upcase/event_loop.hpp>
#include <upcase/pending_output.hpp>

namespace upcase {

/// Why a connection is over, as the log says it.
enum class end_reason : std::uint8_t {
  open,    ///< it is not
  closed,  ///< the client finished, and has all its bytes
  reset,   ///< it went away with bytes under way
  idle_timeout,
  write_timeout,
  drained,  ///< the daemon stops, and the client has all its bytes
  aborted,  ///< the daemon stops, and drain-timeout is over
  denied,   ///< by rules that came with a reload
  over_quota,
  sent_descriptors,  ///< which are closed, and it with them
  failed,            ///< its handler threw, or there was no memory
};

std::string_view to_string(end_reason why) noexcept;

/// How far a connection has come: all that must be known to go on with it
/// elsewhere (see handover_record.hpp).
struct stream_state {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  pending_output pending;  ///< accepted by `write`, not yet by the kernel
};

/// Belongs to its event loop's thread.
class stream {
 public:
  /// `socket` is connected and non-blocking, and `guarded` unless it is known to
  /// hold no descriptors (see client_descriptor.hpp). `target` is told of readiness and
  /// passes it to `progress`. What is pending in `state` is written before
  /// anything is read.
  stream(event_loop& loop, client_descriptor socket, bool guarded, stream_state state,
         ready_target& target, deadline& limit);
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  ~stream();

  /// Awaitable: the next bytes, from 1 to event_loop::buffer_size of them, in
  /// the loop's shared buffer, to be changed in place at will, valid until the
  /// coroutine waits for anything; none at the end.
  [[nodiscard]] auto read() noexcept {
    struct awaiter {
      stream& self;
      [[nodiscard]] bool await_ready() const noexcept { return self.begin_read(); }
      void await_suspend(std::coroutine_handle<> h) const { self.wait_for_input(h); }
      [[nodiscard]] std::span<char> await_resume() const noexcept { return self.input_; }
    };
    return awaiter{*this};
  }

  /// Awaitable: true when the kernel has all of `bytes`, which may lie in the
  /// shared buffer; false when the connection ended first. Whoever writes a lot
  /// at a time waits now and then though there is room: other clients have their
  /// turn.
  [[nodiscard]] auto write(std::span<const char> bytes) noexcept {
    struct awaiter {
      stream& self;
      std::span<const char> bytes;
      [[nodiscard]] bool await_ready() const { return self.begin_write(bytes); }
      void await_suspend(std::coroutine_handle<> h) const { self.wait_for_room(h); }
      // Handlers may ignore it: after an end, the next read yields nothing.
      // NOLINTNEXTLINE(modernize-use-nodiscard)
      bool await_resume() const noexcept { return !self.broken_; }
    };
    return awaiter{*this, bytes};
  }

  // For the session:

  /// The socket may be ready: does what is waited for, and resumes the
  /// coroutine if that is done.
  void progress();

  /// The deadline passed. Ends the connection, unless the client has taken
  /// output since it was last looked at.
  void time_out();

  /// Lets the client send no more. Everything it has sent is still read and
  /// answered; then `read` ends as if the client had finished.
  void finish_input() noexcept;

  /// Ends the connection now, pending output and all.
  void abort(end_reason why);

  /// Applies changed timeouts to a wait that is under way.
  void restart_deadline();

  /// Gives the connection away, open and unharmed, for somebody else to go on
  /// with. Only between turns, when no bytes are in the shared buffer; nothing
  /// but the destructor may be called afterwards.
  struct parts {
    client_descriptor socket;
    stream_state state;
  };
  [[nodiscard]] parts release();

  /// Copies pending output out of the record that it came with (see
  /// pending_output). Throws std::bad_alloc, and then nothing has changed.
  void move_pending_out() { state_.pending.move_out(); }

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] std::size_t bytes_pending() const noexcept { return state_.pending.bytes().size(); }
  [[nodiscard]] end_reason ended() const noexcept { return ended_; }
  [[nodiscard]] std::uint64_t bytes_in() const noexcept { return state_.bytes_in; }
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return state_.bytes_out; }

 private:
  // `room`: to write what is pending, or, where nothing is, to write more.
  // `room_first`: for room on behalf of carried output, then for input.
  enum class waiting : std::uint8_t { nothing, input, room, room_first };

  bool begin_read() noexcept;
  bool begin_write(std::span<const char> bytes);
  void wait_for_input(std::coroutine_handle<> coroutine);
  void wait_for_room(std::coroutine_handle<> coroutine, waiting reason = waiting::room);
  bool receive() noexcept;
  std::size_t send(std::span<const char> bytes) noexcept;
  void send_pending();
  [[nodiscard]] duration room_timeout() const noexcept;
  void set_interest(std::uint32_t events) noexcept;
  void end(end_reason why) noexcept;
  void resume();

  event_loop& loop_;
  ready_target& target_;
  deadline& limit_;
  client_descriptor socket_;
  std::uint32_t interest_ = EPOLLIN;  // as epoll has it
  std::coroutine_handle<> waiting_;   // null while the coroutine runs
  std::span<char> input_;             // the last read's bytes
  stream_state state_;
  std::uint64_t taken_ = 0;  // bytes that the client had read when it was last looked at
  std::size_t written_ = 0;  // bytes since the last wait
  std::uint8_t rounds_ = 0;  // reads since then
  waiting for_ = waiting::nothing;
  end_reason ended_ = end_reason::open;
  const bool guarded_;      // descriptors may come with its bytes
  bool emptied_ = false;    // nothing is in it any more, nor ever will be
  bool broken_ = false;     // nothing can be written any more
  bool finishing_ = false;  // finish_input was called
};

}  // namespace upcase
