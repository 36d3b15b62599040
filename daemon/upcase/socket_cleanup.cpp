// socket_cleanup: only what signal-safety(7) allows happens in the handler.

#include "socket_cleanup.hpp"

#include <array>
#include <csignal>

namespace upcase_client {
namespace {

// Every signal that ends a program from outside, and can be caught (signal(7));
// those that mean a fault of our own are left to a debugger.
constexpr std::array ending{SIGHUP,    SIGINT,  SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
                            SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGPOLL, SIGPWR,  SIGSTKFLT};

// Written only while the signals are held.
upcase::client_file to_remove;

// SA_RESETHAND has restored the default action; the raised signal is delivered
// when the handler returns.
extern "C" void remove_and_die(int signal) {
  to_remove.remove();
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

void remove_on_signal(const upcase::client_file& file) {
  to_remove = file;
  for (const int signal : ending) {
    struct sigaction current {};
    ::sigaction(signal, nullptr, &current);
    // nohup(1) and background jobs ignore some of them; that stays.
    if (current.sa_handler == SIG_IGN) {
      continue;
    }
    struct sigaction action {};
    action.sa_handler = remove_and_die;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace upcase_client
