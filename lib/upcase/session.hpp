// session: one served client, from its admission to its end.
//
// What is done with the client's bytes is the handler's business: a coroutine
// that is given the stream and the proven identity. Uppercasing is one
// handler; another service is another handler and nothing else.

#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <functional>
#include <upcase/client_descriptor.hpp>
#include <upcase/deadlines.hpp>
#include <upcase/event_loop.hpp>
#include <upcase/peer.hpp>
#include <upcase/quota.hpp>
#include <upcase/stream.hpp>
#include <upcase/task.hpp>

namespace upcase {

/// A coroutine that serves one client and returns when it is done with it, on
/// its own account or because the stream ended. Both references stay valid for
/// the coroutine's life. It must wait for nothing but the stream. An exception
/// ends this client only. Must be safe to call from every event loop's thread.
/// Where clients are handed over to another process (server::hand_over), the
/// handler begins anew there once pending output is written: it must then keep
/// nothing of its own from one `read` to the next.
using handler = std::function<task(stream& client, const peer& who)>;

/// The daemon's handler: every byte back, uppercased.
task uppercase_session(stream& client, const peer& who);

/// A client that passed every check: a new one, or one whose session gave it
/// up so that another process goes on with it.
struct admitted_client {
  std::uint64_t id = 0;  ///< counts up over the daemon's life; names it in the log
  peer who;
  steady_time since;         ///< when it was admitted
  client_descriptor socket;  ///< non-blocking
  bool guarded = true;       ///< unless its socket is known to hold no descriptors
  stream_state progress;
  quota::charge charge;  ///< given back when the session is gone
  bool told = true;      ///< whether the log has heard of it, and is to hear of its end
};

class session;

/// Told once when a session is over. Destroys it.
class session_owner {
 public:
  virtual void session_over(session& over) noexcept = 0;

 protected:
  session_owner() = default;
  ~session_owner() = default;
  session_owner(const session_owner&) = delete;
  session_owner& operator=(const session_owner&) = delete;
};

/// Links a session that has output in the record that it came with.
using carrying_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct carrying>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Belongs to its event loop's thread. Any member that ends the session calls
/// the owner, which destroys it: nothing may touch it afterwards.
class session final : public ready_target,
                      public deadline,
                      public boost::intrusive::list_base_hook<>,
                      public carrying_hook {
 public:
  session(event_loop& loop, session_owner& owner, admitted_client client);
  ~session() = default;
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// Runs the handler to its first wait.
  void start(const handler& serve);

  /// Answers what the client has sent by now, then ends.
  void request_stop() noexcept { stream_.finish_input(); }

  /// Ends now.
  void abort(end_reason why);

  /// Gives the client up, connection and all, between two turns of the loop.
  /// The owner is not told; only the destructor may follow.
  [[nodiscard]] admitted_client release();

  /// Whether its user has too many connections, of which this is then none any
  /// more: it must be ended.
  bool give_up_excess() noexcept { return charge_.give_back_excess(); }

  /// Copies its pending output out of the record that it came with, unless there
  /// is no memory. Returns how many bytes that were.
  std::size_t move_pending_out() noexcept;

  /// Applies changed timeouts.
  void restart_deadline() { stream_.restart_deadline(); }

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] const peer& who() const noexcept { return who_; }
  [[nodiscard]] steady_time since() const noexcept { return since_; }
  [[nodiscard]] bool told() const noexcept { return told_; }
  [[nodiscard]] const stream& connection() const noexcept { return stream_; }

  /// Why it ended: the stream's reason, unless the handler failed or left
  /// before its client did.
  [[nodiscard]] end_reason reason() const noexcept;

 private:
  void ready(std::uint32_t events) override;
  void expired(steady_time now) override;
  void finish_if_done();

  session_owner& owner_;
  std::uint64_t id_;
  peer who_;
  steady_time since_;
  bool told_;
  stream stream_;
  // Given back before the socket is closed: whoever sees that may connect again.
  quota::charge charge_;
  // Destroyed first: its frame refers to the stream.
  task task_;
};

}  // namespace upcase
