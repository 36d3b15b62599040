// acceptor: accept4(2), and when to try it again.

#include <upcase/acceptor.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>
#include <new>
#include <sys/socket.h>
#include <system_error>
#include <upcase/shortage.hpp>
#include <upcase/system_calls.hpp>
#include <utility>

namespace upcase {
namespace {

namespace asio = boost::asio;
using protocol = asio::local::stream_protocol;

// How many are taken before whatever else this thread does gets its turn.
constexpr std::size_t batch = 64;

// A limit that is reached over and over is told this often.
constexpr std::chrono::seconds between_full_messages{10};

// A client that is turned away and did not look for so long finds its connection
// closed, as if it had been refused.
constexpr std::chrono::milliseconds time_to_see_the_end{250};

// Errors of accept4 that will not pass: no socket, or none that listens.
bool is_deaf(int error) noexcept {
  return error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP;
}

}  // namespace

acceptor::acceptor(asio::io_context& context, file_descriptor listening, acceptor_owner& owner,
                   log& journal)
    : socket_(context, protocol(), listening.release()),
      refuses_descriptors_(refuse_descriptors(socket_.native_handle())),
      owner_(owner),
      journal_(journal),
      wake_up_(context) {}

acceptor::~acceptor() { close_socket(); }

void acceptor::start() {
  phase_ = phase::open;
  // A loop that `pause` has told to end, but that has not come round since, goes on.
  if (std::exchange(loops_, true)) {
    return;
  }
  // Whatever ends the loop that accepts must end the daemon with it: its clients
  // would connect, and wait for ever.
  asio::co_spawn(socket_.get_executor(), run(), [](const std::exception_ptr& failure) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  });
}

asio::awaitable<void> acceptor::run() {
  boost::system::error_code error;
  while (accepts()) {
    answer_ping();
    if (owner_.full()) {
      wants_places_ = true;
      tell_full();
      // Asked again after saying so: a client may have gone in between.
      if (owner_.full()) {
        wake_up_.expires_at(asio::steady_timer::time_point::max());
        co_await wake_up_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      }
      wants_places_ = false;
      continue;
    }
    tell_not_full();
    // While finishing it is known what waits: whatever does now.
    if (!waiting_.socket && phase_ == phase::open) {
      co_await socket_.async_wait(protocol::acceptor::wait_read,
                                  asio::redirect_error(asio::use_awaitable, error));
    }
    if (!accepts()) {
      break;
    }
    if (const auto delay = take_some(); delay != milliseconds::zero()) {
      wants_places_ = true;
      wake_up_.expires_after(delay);
      co_await wake_up_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      wants_places_ = false;
    }
  }
  loops_ = false;
  answer_ping();
  if (phase_ == phase::finishing) {
    end();
  }
}

// Returns how long to wait before the next try; zero for not at all.
acceptor::milliseconds acceptor::take_some() {
  for (std::size_t taken = 0; taken < batch && accepts() && !owner_.full(); ++taken) {
    int error = waiting_.socket ? 0 : owner_.crowded() ? EMFILE : take_one();
    if (error == EAGAIN || (is_deaf(error) && phase_ == phase::finishing)) {
      // The kernel looks for a descriptor first: there is one, and nobody waits.
      shortage_over();
      owed_ = 0;
      break;
    }
    if (error == 0) {
      error = owner_.admit(waiting_);
    }
    if (is_shortage(error)) {
      return shortage(error);
    }
    // What is left are errors of one connection that went away meanwhile
    // (accept(2)); the next one may be sound, unless nobody listens.
    if (is_deaf(error)) {
      throw std::system_error(error, std::generic_category(), "cannot accept clients");
    }
    owed_ -= phase_ == phase::finishing ? 1 : 0;
  }
  return milliseconds::zero();
}

// accept4(2) on Asio's socket rather than its own accept, for that one takes
// two more calls to set what the flags set here, and throws on the address of a
// client with a full path.
int acceptor::take_one() noexcept {
  client_name& name = waiting_.name;
  name = {};
  name.size = sizeof name.bytes;
  waiting_.socket.reset(::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(name.bytes),
                                  &name.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!waiting_.socket) {
    return errno;
  }
  waiting_.accepted = std::chrono::system_clock::now();
  // A connection has its listener's option from the moment it enters the backlog,
  // so behind the first that has it there is none without.
  if (older_connections_ && refuses_descriptors_) {
    older_connections_ = may_hold_descriptors(waiting_.socket.get());
  }
  waiting_.guarded = older_connections_;
  return 0;
}

acceptor::milliseconds acceptor::shortage(int error) {
  if (!backoff_.active()) {
    journal_.write(
        log_level::error, event::status,
        {{"accepting", "paused"}, {"error", describe(error)}, {"clients", owner_.clients()}});
  }
  if (std::exchange(short_of_, error) != error) {
    owner_.accepting_changed();
  }
  return backoff_.next();
}

void acceptor::shortage_over() noexcept {
  if (backoff_.active()) {
    backoff_.succeeded();
    short_of_ = 0;
    journal_.write(log_level::info, event::status, {{"accepting", "resumed"}});
    owner_.accepting_changed();
  }
}

void acceptor::tell_full() noexcept {
  if (!std::exchange(full_, true)) {
    owner_.accepting_changed();
  }
  const auto now = std::chrono::steady_clock::now();
  if (!told_full_ || now - *told_full_ >= between_full_messages) {
    told_full_ = now;
    paused_full_ = true;
    journal_.write(log_level::warning, event::status,
                   {{"accepting", "paused"},
                    {"reason", "max-clients reached; more wait in the backlog"},
                    {"clients", owner_.clients()}});
  }
}

void acceptor::tell_not_full() noexcept {
  if (std::exchange(full_, false)) {
    owner_.accepting_changed();
  }
  if (std::exchange(paused_full_, false)) {
    journal_.write(log_level::info, event::status, {{"accepting", "resumed"}});
  }
}

void acceptor::pause() {
  phase_ = phase::paused;
  // Its check a shortage holds up: it has proven nothing yet that could be kept.
  waiting_.socket.reset();
  look_up();
}

void acceptor::finish(std::size_t most, late_clients late) {
  phase_ = phase::finishing;
  late_ = late;
  if (late == late_clients::unable_to_connect) {
    // Of a listening Unix socket this refuses connect(2); its backlog stays.
    ::shutdown(socket_.native_handle(), SHUT_RD);
  }
  owed_ = most;
  if (loops_) {
    look_up();
  } else {
    end();
  }
}

void acceptor::give_up_backlog() {
  owed_ = 0;
  look_up();
}

void acceptor::look_up() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  wake_up_.cancel();
}

void acceptor::ping(std::function<void()> answered) {
  pinged_ = std::move(answered);
  if (phase_ != phase::open) {
    answer_ping();
    return;
  }
  look_up();
}

void acceptor::answer_ping() {
  if (pinged_) {
    std::exchange(pinged_, nullptr)();
  }
}

// What waits in the backlog is closed with it. It is not shut down, for it may be
// the service manager's too.
void acceptor::close_socket() noexcept {
  boost::system::error_code error;
  if (older_connections_ && socket_.is_open()) {
    close_aside(socket_.release(error));
  } else {
    socket_.close(error);
  }
}

void acceptor::end() {
  owed_ = 0;
  waiting_.socket.reset();
  full_ = false;
  short_of_ = 0;
  owner_.accepting_changed();
  if (late_ == late_clients::turned_away) {
    phase_ = phase::turning_away;
    try {
      asio::co_spawn(socket_.get_executor(), turn_away(), asio::detached);
    } catch (const std::bad_alloc&) {
      close();
    }
  } else {
    close();
  }
  owner_.accepting_ended();
}

std::chrono::steady_clock::time_point acceptor::close() {
  phase_ = phase::closed;
  close_socket();
  wake_up_.cancel();
  return last_turned_away_ + time_to_see_the_end;
}

asio::awaitable<void> acceptor::turn_away() {
  boost::system::error_code error;
  while (phase_ == phase::turning_away) {
    co_await socket_.async_wait(protocol::acceptor::wait_read,
                                asio::redirect_error(asio::use_awaitable, error));
    if (const auto delay = turn_some_away(); delay != milliseconds::zero()) {
      wake_up_.expires_after(delay);
      co_await wake_up_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }
}

// Returns how long to wait before the next try; zero for not at all.
acceptor::milliseconds acceptor::turn_some_away() {
  for (std::size_t taken = 0; taken < batch && phase_ == phase::turning_away; ++taken) {
    const int error = take_one();
    if (error == EAGAIN) {
      break;
    }
    if (is_shortage(error)) {
      turned_away_ = {};  // first of all those that are needed no more
      return backoff_.next();
    }
    if (is_deaf(error)) {
      close();
    } else if (error == 0) {
      backoff_.succeeded();
      ::shutdown(waiting_.socket.get(), SHUT_WR);
      turned_away_[turned_away_count_++ % most_turned_away] = std::move(waiting_.socket);
      last_turned_away_ = std::chrono::steady_clock::now();
    }
  }
  return milliseconds::zero();
}

}  // namespace upcase
