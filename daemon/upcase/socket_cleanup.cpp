// socket_cleanup: only what signal-safety(7) allows happens in the handler.

#include "socket_cleanup.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <unistd.h>

namespace upcase_client {
namespace {

// Every signal that ends a program from outside, and can be caught (signal(7));
// those that mean a fault of our own are left to a debugger.
constexpr std::array ending{SIGHUP,    SIGINT,  SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
                            SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGPOLL, SIGPWR,  SIGSTKFLT};

std::atomic<const char*> file = nullptr;
static_assert(std::atomic<const char*>::is_always_lock_free);

// SA_RESETHAND has restored the default action; the raised signal is delivered
// when the handler returns.
extern "C" void remove_and_die(int signal) {
  ::unlink(file.load());
  ::raise(signal);
}

sigset_t ending_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : ending) {
    sigaddset(&set, signal);
  }
  return set;
}

}  // namespace

signals_held::signals_held() {
  const sigset_t set = ending_set();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

signals_held::~signals_held() {
  const sigset_t set = ending_set();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void remove_on_signal(const char* path) {
  file = path;
  for (const int signal : ending) {
    struct sigaction current {};
    ::sigaction(signal, nullptr, &current);
    // nohup(1) and background jobs ignore some of them; that stays.
    if (current.sa_handler == SIG_IGN) {
      continue;
    }
    struct sigaction action {};
    action.sa_handler = remove_and_die;
    action.sa_flags = SA_RESETHAND;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace upcase_client
