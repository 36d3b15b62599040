// server: accept, admit, reload, stop.

#include <upcase/server.hpp>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>
#include <iterator>
#include <new>
#include <span>
#include <sys/socket.h>
#include <system_error>
#include <upcase/shortage.hpp>
#include <upcase/system_calls.hpp>
#include <utility>

namespace upcase {
namespace {

namespace asio = boost::asio;
using protocol = asio::local::stream_protocol;

// How many connections are taken before the clients that are in get their turn.
constexpr std::size_t accept_batch = 64;

// A limit that is reached over and over is told this often.
constexpr std::chrono::seconds between_full_messages{10};

// Errors of accept4 that will not pass: no socket, or none that listens.
bool is_deaf(int error) noexcept {
  return error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP;
}

stream_timeouts timeouts_of(const settings& config) {
  return {.idle = config.idle_timeout, .write = config.write_timeout};
}

}  // namespace

server::server(asio::io_context& context, file_descriptor listening, settings config,
               std::vector<client_directory> directories, handler serve, log& journal)
    : context_(context),
      acceptor_(context, protocol(), listening.release()),
      config_(std::move(config)),
      directories_(std::move(directories)),
      serve_(std::move(serve)),
      journal_(journal),
      users_(config_.max_clients_per_user),
      wake_up_(context),
      drain_timer_(context),
      client_left_(context,
                   [this] {
                     wake_up_.cancel();
                     finish_if_drained();
                   }),
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
  // Whatever ends the loop that accepts must end the daemon with it: its clients
  // would connect, and wait for ever.
  asio::co_spawn(context_, accept_clients(), [](const std::exception_ptr& failure) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  });
}

asio::awaitable<void> server::accept_clients() {
  boost::system::error_code error;
  while (accepts()) {
    answer_ping();
    if (full()) {
      wants_to_know_ = true;
      tell_full();
      // Asked again after saying so: a client may have gone in between.
      if (full()) {
        wake_up_.expires_at(asio::steady_timer::time_point::max());
        co_await wake_up_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      }
      wants_to_know_ = phase_ != phase::serving;
      continue;
    }
    tell_not_full();
    // While draining it is known what waits: whatever does now.
    if (!waiting_ && phase_ == phase::serving) {
      co_await acceptor_.async_wait(protocol::acceptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, error));
    }
    if (!accepts()) {
      break;
    }
    if (const auto delay = accept_some(accept_batch); delay != milliseconds::zero()) {
      wants_to_know_ = true;
      wake_up_.expires_after(delay);
      co_await wake_up_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      wants_to_know_ = phase_ != phase::serving;
    }
  }
  answer_ping();
  if (phase_ == phase::draining) {
    finish_accepting();
  }
}

// Returns how long to wait before the next try; zero for not at all.
server::milliseconds server::accept_some(std::size_t most) {
  for (std::size_t taken = 0; taken < most && accepts() && !full(); ++taken) {
    int error = waiting_ ? 0 : accept_one();
    if (error == EAGAIN || (is_deaf(error) && phase_ == phase::draining)) {
      owed_ = 0;
      break;
    }
    if (error == 0) {
      error = admit();
    }
    if (is_shortage(error)) {
      return pause(error);
    }
    // What is left are errors of one connection that went away meanwhile
    // (accept(2)); the next one may be sound, unless nobody listens.
    if (is_deaf(error)) {
      throw std::system_error(error, std::generic_category(), "cannot accept clients");
    }
    owed_ -= phase_ == phase::draining ? 1 : 0;
  }
  return milliseconds::zero();
}

// accept4(2) on Asio's acceptor rather than its own accept, for that one takes
// two more calls to set what the flags set here, and an address that a client
// with a full path makes too long for it.
int server::accept_one() noexcept {
  waiting_.reset(
      ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return waiting_ ? 0 : errno;
}

// Decides on the client in `waiting_`. On a shortage, which is returned as an
// errno, it stays there.
int server::admit() noexcept {
  try {
    return decide_and_place();
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

int server::decide_and_place() {
  finding found = check_credentials(waiting_.get(), directories_, config_.credentials,
                                    std::chrono::system_clock::now());
  if (found.system_error) {
    return found.system_error.value();
  }
  quota::charge charge;
  if (decide(found, charge) != verdict::allowed) {
    refuse(found);
    waiting_.reset();
    return 0;
  }
  remove_client_file(found);
  if (backoff_.active()) {
    backoff_.succeeded();
    journal_.write(log_level::info, event::status, {{"accepting", "resumed"}});
  }
  const std::uint64_t id = ++served_;
  const bool told = client_log_.allowed(id, found);
  place({.id = id,
         .who = found.who,
         .since = std::chrono::steady_clock::now(),
         .socket = std::move(waiting_),
         .progress = {},
         .charge = std::move(charge),
         .told = told});
  return 0;
}

// After the proof of who it is: whether it may in.
verdict server::decide(finding& found, quota::charge& charge) {
  if (found.why != verdict::allowed) {
    return found.why;
  }
  const int fd = waiting_.get();
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

server::milliseconds server::pause(int error) {
  if (!backoff_.active()) {
    journal_.write(
        log_level::error, event::status,
        {{"accepting", "paused"}, {"error", describe(error)}, {"clients", clients_.load()}});
  }
  return backoff_.next();
}

void server::tell_full() {
  const auto now = std::chrono::steady_clock::now();
  if (!told_full_ || now - *told_full_ >= between_full_messages) {
    told_full_ = now;
    paused_full_ = true;
    journal_.write(log_level::warning, event::status,
                   {{"accepting", "paused"},
                    {"reason", "max-clients reached; more wait in the backlog"},
                    {"clients", clients_.load()}});
  }
}

void server::tell_not_full() {
  if (std::exchange(paused_full_, false)) {
    journal_.write(log_level::info, event::status, {{"accepting", "resumed"}});
  }
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
  users_.set_limit(config_.max_clients_per_user);
  reconsider_clients();
  wake_up_.cancel();
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
  acceptor_.cancel();
  wake_up_.cancel();
  // An accepted client whose check a shortage holds up has proven nothing yet
  // that could be handed over.
  waiting_.reset();

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
  const bool accepting = phase_ == phase::serving;
  phase_ = phase::draining;
  wants_to_know_ = true;
  // Whoever is in the backlog has connected, and may have sent: it counts as
  // a client before the stop, and gets its turn. Bounded, since more may come
  // all the while.
  owed_ = config_.backlog;
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
  if (accepting) {
    look_up();
  } else {
    finish_accepting();
  }
}

void server::stop_now() {
  owed_ = 0;
  wake_up_.cancel();
  on_every_worker([](worker& each) { each.abort(end_reason::aborted); });
}

server::counts server::status() const noexcept {
  return {.clients = clients_, .served = served_, .refused = refused_};
}

void server::client_gone() noexcept {
  --clients_;
  tell_change();
  if (wants_to_know_) {
    client_left_.ring();
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
  accept_ping_ = answer;
  if (phase_ != phase::serving) {
    answer_ping();
    return;
  }
  look_up();
}

// Whatever the loop that accepts waits for, it goes round.
void server::look_up() {
  boost::system::error_code ignored;
  acceptor_.cancel(ignored);
  wake_up_.cancel();
}

void server::finish_accepting() {
  owed_ = 0;
  waiting_.reset();
  acceptor_.close();
  finish_if_drained();
}

void server::answer_ping() {
  if (accept_ping_) {
    std::exchange(accept_ping_, nullptr)();
  }
}

void server::finish_if_drained() {
  if (phase_ != phase::draining || acceptor_.is_open() || clients_ != 0) {
    return;
  }
  phase_ = phase::stopped;
  drain_timer_.cancel();
  client_log_.finish();
  client_left_.stop();
  journal_.write(log_level::info, event::status,
                 {{"state", "stopped"}, {"served", served_}, {"refused", refused_}});
  if (stopped_) {
    std::exchange(stopped_, nullptr)();
  }
}

}  // namespace upcase
