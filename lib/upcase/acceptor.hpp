// acceptor: takes clients out of a listening socket's backlog.
//
// Many a turn, none while no place is free, and more slowly while the system
// is short of something; whether a client may in is its owner's business. Who
// is not taken waits in the backlog, and nothing of it is lost.

#pragma once

#include <array>
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
#include <upcase/client_descriptor.hpp>
#include <upcase/credentials.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/log.hpp>

namespace upcase {

/// A client that has connected, and of which no more is known.
struct newcomer {
  client_descriptor socket;  ///< non-blocking
  bool guarded = true;       ///< unless its socket is known to hold no descriptors
  client_name name;
  std::chrono::system_clock::time_point accepted;
};

/// What becomes of those who connect after a stop has begun.
enum class late_clients {
  /// They stay in the backlog, for whoever listens to the socket next.
  wait,
  /// They cannot connect any more. For a socket to which nobody else listens, or
  /// will: it is shut down.
  unable_to_connect,
  /// Each is accepted and half-closed: it reads the end of file, with nothing
  /// before. For a socket that somebody else listens to as well. The
  /// connection is not closed as long as there is room, which tells this end
  /// from a refusal.
  turned_away,
};

/// Whoever decides on newcomers.
class acceptor_owner {
 public:
  /// How many clients are in.
  [[nodiscard]] virtual std::size_t clients() const noexcept = 0;

  /// Whether that is as many as may be.
  [[nodiscard]] virtual bool full() const noexcept = 0;

  /// Whether descriptors that wait to be closed leave no room for a client.
  [[nodiscard]] virtual bool crowded() const noexcept = 0;

  /// Decides on `who`, and takes or closes its socket. A shortage is returned
  /// as an errno; then `who` stays as it is, and comes again.
  virtual int admit(newcomer& who) noexcept = 0;

  /// After `finish`: nobody will come any more.
  virtual void accepting_ended() = 0;

  /// `waits_for_places` or `short_of` has changed.
  virtual void accepting_changed() noexcept = 0;

 protected:
  acceptor_owner() = default;
  ~acceptor_owner() = default;
  acceptor_owner(const acceptor_owner&) = delete;
  acceptor_owner& operator=(const acceptor_owner&) = delete;
};

/// Belongs to the thread that runs `context`.
class acceptor {
 public:
  /// How many of those that are turned away stay half-closed.
  static constexpr std::size_t most_turned_away = 64;

  /// `listening` is a listening, non-blocking Unix stream socket. `owner` and
  /// `journal` outlive the acceptor.
  acceptor(boost::asio::io_context& context, file_descriptor listening, acceptor_owner& owner,
           log& journal);
  acceptor(const acceptor&) = delete;
  acceptor& operator=(const acceptor&) = delete;
  ~acceptor();

  /// Begins to accept, for the first time or after `pause`. An error that will
  /// not pass leaves io_context::run as a std::system_error.
  void start();

  /// Stops for now; what waits in the backlog stays there.
  void pause();

  /// Takes what waits in the backlog, `most` at most, and then ends. Without a
  /// `start` before it, it ends at once. Whoever connects `late` is not taken.
  void finish(std::size_t most, late_clients late);

  /// After `finish`, closes the listening socket, and thereby `late` is over.
  /// When those turned away last have had the time to see their end.
  std::chrono::steady_clock::time_point close();

  /// Ends without taking what `finish` still owes.
  void give_up_backlog();

  /// Goes round once, whatever it waits for: a place may be free.
  void look_up();

  /// Whether it waits for a client to go. Any thread.
  [[nodiscard]] bool wants_places() const noexcept { return wants_places_; }

  /// Told by the owner when a client passed: no shortage holds any more.
  void shortage_over() noexcept;

  /// Whether nobody is accepted because the owner is full.
  [[nodiscard]] bool waits_for_places() const noexcept { return full_; }

  /// What the system is short of, as an errno, while that keeps it from accepting;
  /// else 0.
  [[nodiscard]] int short_of() const noexcept { return short_of_; }

  /// Calls `answered` when it next comes round; at once, unless it is accepting.
  void ping(std::function<void()> answered);

  /// Whether all that `finish` was to take is taken.
  [[nodiscard]] bool ended() const noexcept {
    return phase_ == phase::turning_away || !socket_.is_open();
  }

  /// Whether the kernel refuses descriptors that clients send.
  [[nodiscard]] bool refuses_descriptors() const noexcept { return refuses_descriptors_; }

  [[nodiscard]] int socket() noexcept { return socket_.native_handle(); }

 private:
  using milliseconds = std::chrono::milliseconds;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> turn_away();
  milliseconds turn_some_away();
  milliseconds take_some();
  int take_one() noexcept;
  milliseconds shortage(int error);
  void tell_full() noexcept;
  void tell_not_full() noexcept;
  void answer_ping();
  void close_socket() noexcept;
  void end();
  [[nodiscard]] bool accepts() const noexcept {
    return phase_ == phase::open || (phase_ == phase::finishing && owed_ > 0);
  }

  boost::asio::local::stream_protocol::acceptor socket_;
  const bool refuses_descriptors_;
  bool older_connections_ = true;  // ones without that may be in the backlog
  acceptor_owner& owner_;
  log& journal_;

  boost::asio::steady_timer wake_up_;  // while it waits for something else than clients
  accept_backoff backoff_;
  int short_of_ = 0;
  bool full_ = false;
  std::optional<std::chrono::steady_clock::time_point> told_full_;
  bool paused_full_ = false;  // as the log has it
  newcomer waiting_;          // accepted, but a shortage stopped its check
  enum class phase { paused, open, finishing, turning_away, closed } phase_ = phase::paused;
  bool loops_ = false;            // `run` is under way: one at most
  std::size_t owed_ = 0;          // while finishing: how many may still be accepted
  std::function<void()> pinged_;  // to be answered by `run`
  std::atomic<bool> wants_places_ = false;

  late_clients late_ = late_clients::wait;
  std::array<decltype(newcomer::socket), most_turned_away> turned_away_;  // a ring
  std::size_t turned_away_count_ = 0;
  std::chrono::steady_clock::time_point last_turned_away_{};
};

}  // namespace upcase
