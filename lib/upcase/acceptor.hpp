// acceptor: takes clients out of a listening socket's backlog.
//
// Many a turn, none while no place is free, and more slowly while the system
// is short of something; whether a client may in is its owner's business. Who
// is not taken waits in the backlog, and nothing of it is lost.

#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <upcase/accept_backoff.hpp>
#include <upcase/credentials.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/log.hpp>

namespace upcase {

/// A client that has connected, and of which no more is known.
struct newcomer {
  file_descriptor socket;  ///< non-blocking
  client_name name;
  std::chrono::system_clock::time_point accepted;
};

/// Whoever decides on newcomers.
class acceptor_owner {
 public:
  /// How many clients are in.
  [[nodiscard]] virtual std::size_t clients() const noexcept = 0;

  /// Whether that is as many as may be.
  [[nodiscard]] virtual bool full() const noexcept = 0;

  /// Decides on `who`, and takes or closes its socket. A shortage is returned
  /// as an errno; then `who` stays as it is, and comes again.
  virtual int admit(newcomer& who) noexcept = 0;

  /// After `finish`: nobody will come any more.
  virtual void accepting_ended() = 0;

 protected:
  acceptor_owner() = default;
  ~acceptor_owner() = default;
  acceptor_owner(const acceptor_owner&) = delete;
  acceptor_owner& operator=(const acceptor_owner&) = delete;
};

/// Belongs to the thread that runs `context`.
class acceptor {
 public:
  /// `listening` is a listening, non-blocking Unix stream socket. `owner` and
  /// `journal` outlive the acceptor.
  acceptor(boost::asio::io_context& context, file_descriptor listening, acceptor_owner& owner,
           log& journal);
  acceptor(const acceptor&) = delete;
  acceptor& operator=(const acceptor&) = delete;
  ~acceptor() = default;

  /// Begins to accept. An error that will not pass leaves io_context::run as a
  /// std::system_error.
  void start();

  /// Stops for now; what waits in the backlog stays there.
  void pause();

  /// Takes what waits in the backlog, `most` at most, and then ends. Without a
  /// `start` before it, it ends at once.
  void finish(std::size_t most);

  /// Ends without taking what `finish` still owes.
  void give_up_backlog();

  /// Goes round once, whatever it waits for: a place may be free.
  void look_up();

  /// Whether it waits for a client to go. Any thread.
  [[nodiscard]] bool wants_places() const noexcept { return wants_places_; }

  /// Told by the owner when a client passed: no shortage holds any more.
  void shortage_over();

  /// Calls `answered` when it next comes round; at once, unless it is accepting.
  void ping(std::function<void()> answered);

  [[nodiscard]] bool ended() const noexcept { return !socket_.is_open(); }

  [[nodiscard]] int socket() noexcept { return socket_.native_handle(); }

 private:
  using milliseconds = std::chrono::milliseconds;

  boost::asio::awaitable<void> run();
  milliseconds take_some();
  int take_one() noexcept;
  milliseconds shortage(int error);
  void tell_full();
  void tell_not_full();
  void answer_ping();
  void end();
  [[nodiscard]] bool accepts() const noexcept {
    return phase_ == phase::open || (phase_ == phase::finishing && owed_ > 0);
  }

  boost::asio::local::stream_protocol::acceptor socket_;
  acceptor_owner& owner_;
  log& journal_;

  boost::asio::steady_timer wake_up_;  // while it waits for something else than clients
  accept_backoff backoff_;
  std::optional<std::chrono::steady_clock::time_point> told_full_;
  bool paused_full_ = false;  // as the log has it
  newcomer waiting_;          // accepted, but a shortage stopped its check
  enum class phase { paused, open, finishing } phase_ = phase::paused;
  std::size_t owed_ = 0;          // while finishing: how many may still be accepted
  std::function<void()> pinged_;  // to be answered by `run`
  std::atomic<bool> wants_places_ = false;
};

}  // namespace upcase
