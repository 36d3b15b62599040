// acceptor: accept4(2), and when to try it again.

#include <upcase/acceptor.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>
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

// Errors of accept4 that will not pass: no socket, or none that listens.
bool is_deaf(int error) noexcept {
  return error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP;
}

}  // namespace

acceptor::acceptor(asio::io_context& context, file_descriptor listening, acceptor_owner& owner,
                   log& journal)
    : socket_(context, protocol(), listening.release()),
      owner_(owner),
      journal_(journal),
      wake_up_(context) {}

void acceptor::start() {
  phase_ = phase::open;
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
  answer_ping();
  if (phase_ == phase::finishing) {
    end();
  }
}

// Returns how long to wait before the next try; zero for not at all.
acceptor::milliseconds acceptor::take_some() {
  for (std::size_t taken = 0; taken < batch && accepts() && !owner_.full(); ++taken) {
    int error = waiting_.socket ? 0 : take_one();
    if (error == EAGAIN || (is_deaf(error) && phase_ == phase::finishing)) {
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
  const int error = errno;
  waiting_.accepted = std::chrono::system_clock::now();
  return waiting_.socket ? 0 : error;
}

acceptor::milliseconds acceptor::shortage(int error) {
  if (!backoff_.active()) {
    journal_.write(
        log_level::error, event::status,
        {{"accepting", "paused"}, {"error", describe(error)}, {"clients", owner_.clients()}});
  }
  return backoff_.next();
}

void acceptor::shortage_over() {
  if (backoff_.active()) {
    backoff_.succeeded();
    journal_.write(log_level::info, event::status, {{"accepting", "resumed"}});
  }
}

void acceptor::tell_full() {
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

void acceptor::tell_not_full() {
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

void acceptor::finish(std::size_t most) {
  const bool open = phase_ == phase::open;
  phase_ = phase::finishing;
  owed_ = most;
  if (open) {
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

void acceptor::end() {
  owed_ = 0;
  waiting_.socket.reset();
  socket_.close();
  owner_.accepting_ended();
}

}  // namespace upcase
