// server: admit, reload, hand over, stop.

#include <upcase/server.hpp>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <iterator>
#include <new>
#include <span>
#include <utility>

namespace upcase {
namespace {

namespace asio = boost::asio;

stream_timeouts timeouts_of(const settings& config) {
  return {.idle = config.idle_timeout, .write = config.write_timeout};
}

}  // namespace

server::server(asio::io_context& context, file_descriptor listening, settings config,
               std::vector<client_directory> directories, handler serve, log& journal)
    : context_(context),
      acceptor_(context, std::move(listening), *this, journal),
      config_(std::move(config)),
      directories_(std::move(directories)),
      serve_(std::move(serve)),
      journal_(journal),
      users_(config_.max_clients_per_user),
      drain_timer_(context),
      bell_(context,
            [this] {
              admit_examined();
              acceptor_.look_up();
              finish_if_drained();
            }),
      files_(context, bell_),
      client_log_(context, journal) {
  const worker::surroundings around{
      .serve = serve_, .journal = journal_, .client_gone = [this] { client_gone(); }};
  while (workers_.size() < config_.threads) {
    workers_.push_back(std::make_unique<worker>(around, timeouts_of(config_)));
  }
}

server::~server() {
  // Stopped or not: nothing of a server may be destroyed before they end.
  for (const auto& each : workers_) {
    each->stop();
  }
  threads_.clear();
}

void server::start() {
  phase_ = phase::serving;
  for (const auto& each : std::span(workers_).subspan(threads_.size())) {
    threads_.emplace_back([&loop = *each, spin = config_.busy_poll] { loop.run(spin); });
  }
  acceptor_.start();
}

int server::admit(newcomer& who) noexcept {
  try {
    finding found = check_credentials(who.socket.get(), who.name, directories_, config_.credentials,
                                      who.accepted);
    if (found.file_unknown) {
      if (files_.examine(who, found, config_.credentials)) {
        return 0;
      }
      found.why = verdict::busy;
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
         .progress = {},
         .charge = std::move(charge),
         .told = told});
  return 0;
}

// After the proof of who it is: whether it may in.
verdict server::decide(int fd, finding& found, quota::charge& charge) {
  if (found.why != verdict::allowed) {
    return found.why;
  }
  if (!config_.access.admits(found.who, [fd] { return groups_of(fd); })) {
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
  worker& least = **std::ranges::min_element(
      workers_, {}, [](const auto& candidate) { return candidate->clients(); });
  ++clients_;
  tell_change();
  least.take(std::move(client));
}

void server::refuse(const finding& found) {
  client_log_.refused(found);
  ++refused_;
  tell_change();
}

template <typename Action>
void server::on_every_worker(Action action) {
  for (const auto& each : workers_) {
    each->post(action);
  }
}

void server::reload(settings config, std::vector<client_directory> directories) {
  config_ = std::move(config);
  directories_ = std::move(directories);
  files_.outdate();
  users_.set_limit(config_.max_clients_per_user);
  reconsider_clients();
  acceptor_.look_up();
}

void server::reconsider_clients() {
  const auto rules = std::make_shared<const access_rules>(config_.access);
  on_every_worker([rules, timeouts = timeouts_of(config_)](worker& each) {
    each.reconsider(*rules, timeouts);
  });
}

void server::hand_over(std::function<void(cargo)> ready) {
  if (phase_ != phase::serving) {
    return;
  }
  phase_ = phase::handing_over;
  acceptor_.pause();
  // Whoever is not decided on would see a close.
  files_.when_quiet([this, ready = std::move(ready)] {
    files_.give_up();
    gather(ready);
  });
}

void server::gather(std::function<void(cargo)> ready) {
  struct gathering {
    cargo all;
    std::size_t missing = 0;
    std::function<void(cargo)> ready;
  };
  const auto gathered = std::make_shared<gathering>(
      gathering{.all = {.served = served_, .refused = refused_, .clients = {}},
                .missing = workers_.size(),
                .ready = std::move(ready)});
  on_every_worker([this, gathered](worker& each) {
    asio::post(context_, [gathered, part = each.release()]() mutable {
      std::ranges::move(part, std::back_inserter(gathered->all.clients));
      if (--gathered->missing == 0) {
        gathered->ready(std::move(gathered->all));
      }
    });
  });
}

void server::take_over(cargo load) {
  phase_ = phase::idle;
  served_ = std::max(served_, load.served);
  refused_ = std::max(refused_, load.refused);
  // Oldest first, as if they had just come: quotas let the older ones stay.
  std::ranges::sort(load.clients, {}, &admitted_client::id);
  for (admitted_client& client : load.clients) {
    client.charge = users_.take(client.who.uid);
    place(std::move(client));
  }
  reconsider_clients();
}

void server::stop(std::function<void()> stopped) {
  stopped_ = std::move(stopped);
  phase_ = phase::draining;
  journal_.write(log_level::info, event::status,
                 {{"state", "draining"}, {"clients", clients_.load()}});
  on_every_worker([](worker& each) { each.drain(); });
  if (config_.drain_timeout != duration::zero()) {
    drain_timer_.expires_after(config_.drain_timeout);
    drain_timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) {
        journal_.write(log_level::warning, event::status,
                       {{"drain-timeout", "over"}, {"clients", clients_.load()}});
        stop_now();
      }
    });
  }
  // Whoever is in the backlog has connected, and may have sent: it counts as
  // a client before the stop, and gets its turn. Bounded, since more may come
  // all the while.
  acceptor_.finish(config_.backlog);
}

void server::stop_now() {
  acceptor_.give_up_backlog();
  files_.give_up();
  on_every_worker([](worker& each) { each.abort(end_reason::aborted); });
  finish_if_drained();
}

server::counts server::status() const noexcept {
  return {.clients = clients_, .served = served_, .refused = refused_};
}

void server::client_gone() noexcept {
  --clients_;
  tell_change();
  if (phase_ == phase::draining || acceptor_.wants_places()) {
    bell_.ring();
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
  const auto missing = std::make_shared<std::atomic<std::size_t>>(workers_.size() + 1);
  const auto answer = [this, missing, answered = std::move(answered)] {
    if (--*missing == 0) {
      asio::post(context_, answered);
    }
  };
  on_every_worker([answer](worker& /*each*/) { answer(); });
  acceptor_.ping(answer);
}

void server::finish_if_drained() {
  if (phase_ != phase::draining || !acceptor_.ended() || clients_ != 0 || files_.waiting() != 0) {
    return;
  }
  phase_ = phase::stopped;
  drain_timer_.cancel();
  client_log_.finish();
  bell_.stop();
  journal_.write(log_level::info, event::status,
                 {{"state", "stopped"}, {"served", served_}, {"refused", refused_}});
  if (stopped_) {
    std::exchange(stopped_, nullptr)();
  }
}

}  // namespace upcase
