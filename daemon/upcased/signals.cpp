// signals: a signalfd, read one by one.

#include "signals.hpp"

#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace upcased {
namespace {

sigset_t obeyed() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) {
    sigaddset(&set, signal);
  }
  return set;
}

int open_signalfd() {
  const sigset_t set = obeyed();
  const int fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) {
    throw std::system_error(errno, std::generic_category(), "signalfd");
  }
  return fd;
}

}  // namespace

void block_signals() noexcept {
  const sigset_t set = obeyed();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool stop_is_pending() noexcept {
  sigset_t set;
  return ::sigpending(&set) == 0 &&
         (::sigismember(&set, SIGTERM) == 1 || ::sigismember(&set, SIGINT) == 1);
}

signals::signals(boost::asio::io_context& context, std::function<void(int)> obey)
    : pending_(context, open_signalfd()), obey_(std::move(obey)) {}

// Waits and then reads one: what is read must be obeyed at once, or a successor
// would never see it.
void signals::wait() {
  pending_.async_wait(
      boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
        if (error) {
          return;
        }
        const auto size = pending_.read_some(boost::asio::buffer(&next_, sizeof next_), error);
        wait();  // first, so that obeying can cancel it
        if (size == sizeof next_) {
          obey_(static_cast<int>(next_.ssi_signo));
        }
      });
}

}  // namespace upcased
