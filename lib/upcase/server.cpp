// server: admit, reload, hand over, stop.

#include <upcase/server.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <iterator>
#include <new>
#include <sys/resource.h>
#include <utility>

namespace upcase {
namespace {

namespace asio = boost::asio;

stream_timeouts timeouts_of(const settings& config) {
  return {.idle = config.idle_timeout, .write = config.write_timeout};
}

std::shared_ptr<const worker::conditions> conditions_of(const settings& config) {
  return std::make_shared<const worker::conditions>(
      worker::conditions{.rules = config.access, .timeouts = timeouts_of(config)});
}

// How many more the process can open, clients aside, while each loop but the one
// that asks receives as many as a message can bring.
std::ptrdiff_t spare_descriptors(const settings& config) noexcept {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t plenty = 1U << 30U;
  return static_cast<std::ptrdiff_t>(std::min(limit.rlim_cur, plenty)) -
         static_cast<std::ptrdiff_t>(reserved_descriptors(config) +
                                     (config.threads - 1) * most_descriptors);
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
      news_(context, [this] { look_round(); }),
      files_(context, news_),
      client_log_(context, journal),
      conditions_(conditions_of(config_)),
      spare_descriptors_(spare_descriptors(config_)) {
  descriptor_closer::of_process();  // while there is somebody to tell that there is no memory
  const auto count_down = [this](std::atomic<std::size_t>& missing) {
    if (--missing == 0) {
      news_.ring();
    }
  };
  const worker::surroundings around{
      .serve = serve_,
      .journal = journal_,
      .spare_descriptors = spare_descriptors_,
      .client_gone = [this] { client_gone(); },
      .released = [this, count_down] { count_down(parts_missing_); },
      .answered = [this, count_down] { count_down(answers_missing_); }};
  workers_.reserve(config_.threads);
  threads_.reserve(config_.threads);
  try {
    while (workers_.size() < config_.threads) {
      add_worker(around);
    }
  } catch (const std::exception& missing) {
    if (workers_.empty()) {
      throw;
    }
    journal_.write(
        log_level::error, event::status,
        {{"threads", workers_.size()}, {"wanted", config_.threads}, {"reason", missing.what()}});
  }
}

// One that gets no thread must not get clients either.
void server::add_worker(const worker::surroundings& around) {
  auto next = std::make_unique<worker>(around, timeouts_of(config_));
  threads_.emplace_back([this, &loop = *next, spin = config_.busy_poll] {
    started_.wait(false);
    loop.run(spin);
  });
  workers_.push_back(std::move(next));
}

server::~server() {
  // Stopped or not: nothing of a server may be destroyed before they end.
  for (const auto& each : workers_) {
    each->stop();
  }
  let_threads_run();
  threads_.clear();
}

void server::let_threads_run() noexcept {
  started_ = true;
  started_.notify_all();
}

void server::start() {
  phase_ = phase::serving;
  let_threads_run();
  acceptor_.start();
}

// A few always wait for a moment; they are counted among the reserved.
bool server::crowded() const noexcept {
  constexpr std::ptrdiff_t few = 8;
  const auto closing = static_cast<std::ptrdiff_t>(descriptor_closer::of_process().pending());
  return closing > few && closing > spare_descriptors_;
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
         .guarded = who.guarded,
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
  --spare_descriptors_;
  tell_change();
  least.take(std::move(client));
}

void server::refuse(const finding& found) {
  client_log_.refused(found);
  ++refused_;
  tell_change();
}

void server::reload(settings config, std::vector<client_directory> directories) {
  conditions_ = conditions_of(config);
  config_ = std::move(config);
  directories_ = std::move(directories);
  files_.outdate();
  users_.set_limit(config_.max_clients_per_user);
  reconsider_clients();
  acceptor_.look_up();
}

void server::reconsider_clients() noexcept {
  for (const auto& each : workers_) {
    each->reconsider(conditions_);
  }
}

void server::hand_over(std::function<void(cargo)> ready) {
  if (phase_ != phase::serving) {
    return;
  }
  // All memory that it takes, before anything changes: a worker must not fail.
  // None of them gets a client from now on.
  std::vector<std::vector<admitted_client>> parts(workers_.size());
  std::size_t all = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    // Whoever is being examined may come to any of them.
    parts[i].reserve(workers_[i]->clients() + files_.waiting());
    all += parts[i].capacity();
  }
  gathered_ = {.served = served_, .refused = refused_, .clients = {}};
  gathered_.clients.reserve(all);
  parts_ = std::move(parts);
  ready_ = std::move(ready);
  parts_missing_ = 1;  // until they are asked
  phase_ = phase::handing_over;
  acceptor_.pause();
  client_log_.finish();
  // Whoever is not decided on would see a close.
  files_.when_quiet([this] {
    files_.give_up();
    parts_missing_ = workers_.size();
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      workers_[i]->release(parts_[i]);
    }
  });
}

// What another thread rang for.
void server::look_round() {
  admit_examined();
  acceptor_.look_up();
  if (answered_ && answers_missing_ == 0) {
    std::exchange(answered_, nullptr)();
  }
  if (ready_ && parts_missing_ == 0) {
    for (auto& part : parts_) {
      std::ranges::move(part, std::back_inserter(gathered_.clients));
    }
    parts_.clear();
    std::exchange(ready_, nullptr)(std::move(gathered_));
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
  reconsider_clients();
}

void server::stop(std::function<void()> stopped, late_clients late) {
  stopped_ = std::move(stopped);
  phase_ = phase::draining;
  journal_.write(log_level::info, event::status,
                 {{"state", "draining"}, {"clients", clients_.load()}});
  for (const auto& each : workers_) {
    each->drain();
  }
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
  for (const auto& each : workers_) {
    each->abort();
  }
  finish_if_drained();
}

server::counts server::status() const noexcept {
  return {.clients = clients_, .served = served_, .refused = refused_};
}

void server::client_gone() noexcept {
  --clients_;
  ++spare_descriptors_;
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
  answers_missing_ = workers_.size() + 1;
  for (const auto& each : workers_) {
    each->ping();
  }
  acceptor_.ping([this] {
    if (--answers_missing_ == 0) {
      news_.ring();
    }
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
