// interruption: a POSIX timer for one thread.

#include <upcase/interruption.hpp>

#include <pthread.h>
#include <unistd.h>

namespace upcase {
namespace {

constexpr int signal_number = SIGURG;
constexpr timespec period{.tv_sec = 0, .tv_nsec = 5'000'000};

void do_nothing(int /*signal*/) noexcept {}

void install_handler() noexcept {
  struct sigaction action {};
  ::sigaction(signal_number, nullptr, &action);
  const bool unused = (action.sa_flags & SA_SIGINFO) == 0 &&
                      (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
  if (unused) {
    action = {};
    action.sa_handler = do_nothing;
    action.sa_flags = SA_RESTART;
    ::sigaction(signal_number, &action, nullptr);
  }
}

void change_mask(int how, sigset_t* previous) noexcept {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal_number);
  ::pthread_sigmask(how, &one, previous);
}

}  // namespace

interruption::interruption() noexcept {
  install_handler();
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = signal_number;
  event._sigev_un._tid = ::gettid();
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) {
    return;
  }
  armed_ = true;
  change_mask(SIG_UNBLOCK, &previous_mask_);
  const itimerspec times{.it_interval = period, .it_value = period};
  ::timer_settime(timer_, 0, &times, nullptr);
}

interruption::~interruption() {
  if (armed_) {
    ::timer_delete(timer_);
    ::pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
  }
}

}  // namespace upcase
