// server: admit, reload, hand over, stop.

#include <upcase/server.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>
#include <utility>

namespace upcase {

namespace asio = boost::asio;

static_assert(client_files::most_waiting + acceptor::most_turned_away + 1 <=
              most_unserved_connections);

server::server(asio::io_context& context, file_descriptor listening, settings config,
               std::vector<client_directory> directories, handler serve, log& journal)
    : acceptor_(context, std::move(listening), *this, journal),
      config_(std::move(config)),
      directories_(std::move(directories)),
      serve_(std::move(serve)),
      journal_(journal),
      users_(config_.max_clients_per_user),
      drain_timer_(context),
      news_(context, [this] { look_round(); }),
      files_(context, news_),
      client_log_(context, journal),
      workers_({.serve = serve_,
                .journal = journal_,
                .news = news_,
                .client_gone = [this] { client_gone(); }},
               config_) {}

void server::start() {
  phase_ = phase::serving;
  workers_.start();
  acceptor_.start();
}

int server::admit(newcomer& who) noexcept {
  try {
    finding found = check_credentials(who.socket.get(), who.name, directories_, config_.credentials,
                                      who.accepted);
    if (found.file_unknown) {
      // Whom the rules deny has no file system asked, and takes nobody's place meanwhile.
      if (!is_admitted(who.socket.get(), found.who)) {
        found.why = verdict::denied;
      } else if (!may_wait(found.who.uid) || !files_.examine(who, found, config_.credentials)) {
        found.why = verdict::busy;
      } else {
        return 0;
      }
    }
    return decide_and_place(who, found);
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

void server::admit_examined() {
  while (auto next = files_.take()) {
    // Nobody is judged by a mixture of old settings and new ones.
    const int error = next->outdated ? admit(next->who) : decide_and_place(next->who, next->found);
    if (error != 0) {
      next->found.why = verdict::busy;
      refuse(next->found);
    }
  }
}

int server::decide_and_place(newcomer& who, finding& found) noexcept {
  if (found.system_error) {
    return found.system_error.value();
  }
  quota::charge charge;
  try {
    decide(who.socket.get(), found, charge);
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  if (found.why != verdict::allowed) {
    refuse(found);
    who.socket.reset();
    return 0;
  }
  files_.remove(found);
  acceptor_.shortage_over();
  const std::uint64_t id = ++served_;
  const bool told = client_log_.allowed(id, found);
  place({.id = id,
         .who = found.who,
         .since = std::chrono::steady_clock::now(),
         .socket = std::move(who.socket),
         .guarded = who.guarded,
         .progress = {},
         .charge = std::move(charge),
         .told = told});
  return 0;
}

bool server::is_admitted(int fd, const peer& who) const {
  return config_.access.admits(who, [fd] { return groups_of(fd); });
}

// No user has more clients that wait to be examined than may be in.
bool server::may_wait(uid_t uid) const noexcept {
  return config_.max_clients_per_user == 0 || files_.waiting_of(uid) < config_.max_clients_per_user;
}

// After the proof of who it is: whether it may in.
verdict server::decide(int fd, finding& found, quota::charge& charge) {
  if (found.why != verdict::allowed) {
    return found.why;
  }
  if (!is_admitted(fd, found.who)) {
    return found.why = verdict::denied;
  }
  auto charged = users_.acquire(found.who.uid);
  if (!charged) {
    return found.why = verdict::over_quota;
  }
  charge = std::move(*charged);
  return verdict::allowed;
}

void server::place(admitted_client client) {
  ++clients_;
  tell_change();
  workers_.take(std::move(client));
}

void server::refuse(const finding& found) {
  client_log_.refused(found);
  ++refused_;
  tell_change();
}

void server::reload(settings config, std::vector<client_directory> directories) {
  workers_.set_conditions(config);
  config_ = std::move(config);
  directories_ = std::move(directories);
  files_.outdate();
  users_.set_limit(config_.max_clients_per_user);
  workers_.reconsider();
  acceptor_.look_up();
}

void server::hand_over(std::function<void(cargo)> ready) {
  if (phase_ != phase::serving) {
    return;
  }
  // All memory that it takes, before anything changes: a worker must not fail.
  workers_.prepare_release(files_.waiting());
  ready_ = std::move(ready);
  phase_ = phase::handing_over;
  acceptor_.pause();
  // Whoever is not decided on would see a close.
  files_.when_quiet([this] {
    files_.give_up();
    client_log_.finish();
    workers_.release();
  });
}

// What another thread rang for.
void server::look_round() {
  admit_examined();
  acceptor_.look_up();
  if (answered_ && accepting_answered_ && workers_.answered()) {
    std::exchange(answered_, nullptr)();
  }
  if (ready_ && workers_.released()) {
    std::exchange(ready_, nullptr)(
        {.served = served_, .refused = refused_, .clients = workers_.take_released()});
  }
  finish_if_drained();
}

void server::take_over(cargo load) {
  phase_ = phase::idle;
  served_ = std::max(served_, load.served);
  refused_ = std::max(refused_, load.refused);
  // Oldest first, as if they had just come: quotas let the older ones stay.
  std::ranges::sort(load.clients, {}, &admitted_client::id);
  for (admitted_client& client : load.clients) {
    try {
      client.charge = users_.take(client.who.uid);
    } catch (const std::bad_alloc&) {
      // One too many rather than one lost.
    }
    client.guarded = may_hold_descriptors(client.socket.get());
    place(std::move(client));
  }
  workers_.reconsider();
}

void server::stop(std::function<void()> stopped, late_clients late) {
  stopped_ = std::move(stopped);
  phase_ = phase::draining;
  journal_.write(log_level::info, event::status,
                 {{"state", "draining"}, {"clients", clients_.load()}});
  workers_.drain();
  if (config_.drain_timeout != duration::zero()) {
    limit_drain();
  }
  // Whoever is in the backlog has connected, and may have sent: it counts as
  // a client before the stop, and gets its turn. Bounded, since more may come
  // all the while.
  acceptor_.finish(config_.backlog, late);
}

void server::limit_drain() noexcept {
  try {
    drain_timer_.expires_after(config_.drain_timeout);
    drain_timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) {
        journal_.write(log_level::warning, event::status,
                       {{"drain-timeout", "over"}, {"clients", clients_.load()}});
        stop_now();
      }
    });
  } catch (const std::exception& error) {
    // No memory: whoever stops us will not wait for ever.
    journal_.write(log_level::error, event::status,
                   {{"drain-timeout", "off"}, {"error", error.what()}});
  }
}

void server::stop_now() {
  acceptor_.give_up_backlog();
  files_.give_up();
  workers_.abort();
  finish_if_drained();
}

server::counts server::status() const noexcept {
  return {.clients = clients_,
          .served = served_,
          .refused = refused_,
          .full = acceptor_.waits_for_places(),
          .short_of = acceptor_.short_of()};
}

void server::client_gone() noexcept {
  --clients_;
  tell_change();
  if (phase_ == phase::draining || acceptor_.wants_places()) {
    news_.ring();
  }
}

void server::tell_change() noexcept {
  try {
    if (changed_) {
      changed_();
    }
  } catch (...) {
    // It is told of the next change again.
  }
}

void server::ping(std::function<void()> answered) {
  answered_ = std::move(answered);
  accepting_answered_ = false;
  workers_.ping();
  acceptor_.ping([this] {
    accepting_answered_ = true;
    news_.ring();
  });
}

void server::finish_if_drained() {
  if (phase_ != phase::draining || !acceptor_.ended() || clients_ != 0 || files_.waiting() != 0) {
    return;
  }
  phase_ = phase::stopped;
  drain_timer_.cancel();
  const auto end = acceptor_.close();
  if (end <= std::chrono::steady_clock::now()) {
    finish();
    return;
  }
  drain_timer_.expires_at(end);
  drain_timer_.async_wait([this](const boost::system::error_code& /*none*/) { finish(); });
}

void server::finish() {
  client_log_.finish();
  news_.stop();
  journal_.write(log_level::info, event::status,
                 {{"state", "stopped"}, {"served", served_}, {"refused", refused_}});
  if (stopped_) {
    std::exchange(stopped_, nullptr)();
  }
}

}  // namespace upcase
