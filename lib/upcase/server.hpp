// server: from a listening socket to served clients, and to a clean stop.
//
// Of each client that its acceptor takes, it asks who that is and whether it
// may in, and hands it to the event loop that has the fewest. Accepting has a
// thread of its own, the one that runs the `io_context`: what it asks quotas and
// name services holds up no client that is in. What may wait for a file system
// has further threads (client_files). It knows nothing of signals, files of
// configuration or service managers: whoever embeds it brings those.
//
//   boost::asio::io_context context;
//   upcase::log& journal = ...;
//   upcase::server server(context, std::move(listening_socket), settings,
//                         std::move(directories), my_handler, journal);
//   server.start();
//   context.run();   // returns when stop() has let the last client finish

#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <upcase/acceptor.hpp>
#include <upcase/client_directory.hpp>
#include <upcase/client_files.hpp>
#include <upcase/client_log.hpp>
#include <upcase/credentials.hpp>
#include <upcase/doorbell.hpp>
#include <upcase/file_descriptor.hpp>
#include <upcase/handover_record.hpp>
#include <upcase/log.hpp>
#include <upcase/quota.hpp>
#include <upcase/session.hpp>
#include <upcase/settings.hpp>
#include <upcase/worker_pool.hpp>
#include <utility>
#include <vector>

namespace upcase {

/// Belongs to the thread that runs `context`; clients are served on
/// `settings::threads` others, which the server starts. Once the server is
/// gone, stopped or not, the context must not run any more: what still waits in
/// it refers to the server.
class server final : private acceptor_owner {
 public:
  /// `listening` is a listening, non-blocking Unix stream socket. The handler
  /// is called on every loop's thread. `journal` outlives the server. Where
  /// descriptors or threads are missing, it does with fewer loops and says so;
  /// without any it throws std::system_error.
  server(boost::asio::io_context& context, file_descriptor listening, settings config,
         std::vector<client_directory> directories, handler serve, log& journal);
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server() = default;

  /// Begins to accept, and to serve.
  void start();

  /// Takes over everything that can change while clients are served; asks the
  /// rules again for those who are in. The socket's path, mode and backlog and
  /// the number of threads stay as they are. Throws std::bad_alloc, and then
  /// nothing has changed.
  void reload(settings config, std::vector<client_directory> directories);

  /// Accepts what already waits in the backlog (as places come free, where
  /// `max_clients` are in) and then no more, decides on all who came, answers what
  /// every client has sent by now, and ends. `drain_timeout` bounds it. `late` is
  /// for whoever connects while that lasts; with `turned_away`, the end is up to
  /// 250 ms later. `stopped`, if any, is called when the last client is gone.
  void stop(std::function<void()> stopped = {}, late_clients late = late_clients::wait);

  /// Ends what `stop` is still waiting for.
  void stop_now();

  /// Stops accepting, takes every client out of its session, and calls `ready`
  /// with them all. None of them is closed: whatever clients send meanwhile waits in
  /// their sockets, who connects waits in the backlog. Who waits for the examination
  /// of its file is decided on first, or closed after a second. Ignored while
  /// stopping; until `ready` is called, the server must not be stopped. Throws
  /// std::bad_alloc, and then nothing has changed.
  void hand_over(std::function<void(cargo)> ready);

  /// Goes on with clients of another server, or with its own again after
  /// `hand_over` came to nothing. Access rules and quotas are asked anew; who
  /// is denied now is ended before it gets another byte. Accepting resumes
  /// with `start`.
  void take_over(cargo load);

  /// The listening socket, for whoever goes on listening to it.
  [[nodiscard]] int listening_socket() noexcept { return acceptor_.socket(); }

  struct counts {
    std::size_t clients = 0;    ///< connected now
    std::uint64_t served = 0;   ///< ever admitted
    std::uint64_t refused = 0;  ///< ever turned away
    bool full = false;          ///< nobody is accepted, for `max_clients` are in
    int short_of = 0;           ///< nobody is accepted, for want of this (errno)
  };
  [[nodiscard]] counts status() const noexcept;

  /// Whether the kernel refuses descriptors that clients send; else they are
  /// received and closed, and their client is ended.
  [[nodiscard]] bool refuses_descriptors() const noexcept {
    return acceptor_.refuses_descriptors();
  }

  /// `changed` is called after each change of `status`, on the thread that
  /// made it. To be set before `start`.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  /// Calls `answered` on the context's thread once every event loop has come
  /// round and, while serving, the loop that accepts. One question at a time.
  void ping(std::function<void()> answered);

 private:
  [[nodiscard]] std::size_t clients() const noexcept override { return clients_; }
  [[nodiscard]] bool full() const noexcept override {
    return clients_ + files_.waiting() >= config_.max_clients;
  }
  [[nodiscard]] bool crowded() const noexcept override { return workers_.crowded(); }
  int admit(newcomer& who) noexcept override;
  void accepting_ended() override { finish_if_drained(); }
  void accepting_changed() noexcept override { tell_change(); }

  int decide_and_place(newcomer& who, finding& found) noexcept;
  void admit_examined();
  [[nodiscard]] bool is_admitted(int fd, const peer& who) const;
  [[nodiscard]] bool may_wait(uid_t uid) const noexcept;
  verdict decide(int fd, finding& found, quota::charge& charge);
  void place(admitted_client client);
  void look_round();
  void limit_drain() noexcept;
  void refuse(const finding& found);
  void client_gone() noexcept;
  void tell_change() noexcept;
  void finish_if_drained();
  void finish();

  acceptor acceptor_;
  settings config_;
  std::vector<client_directory> directories_;
  handler serve_;
  log& journal_;
  quota users_;

  boost::asio::steady_timer drain_timer_;
  // Clients left, files have been examined, or what workers were asked for is done.
  doorbell news_;
  client_files files_;
  client_log client_log_;
  enum class phase { idle, serving, handing_over, draining, stopped };
  std::atomic<phase> phase_ = phase::idle;  // written by the context's thread alone
  std::function<void()> stopped_;
  std::function<void()> changed_;

  std::function<void(cargo)> ready_;  // none: no hand-over is under way
  std::function<void()> answered_;    // none: no ping is
  bool accepting_answered_ = false;

  std::atomic<std::size_t> clients_ = 0;  // admitted and not yet gone
  std::uint64_t served_ = 0;
  std::uint64_t refused_ = 0;

  // Last, so that no thread runs while anything above is destroyed.
  worker_pool workers_;
};

}  // namespace upcase
