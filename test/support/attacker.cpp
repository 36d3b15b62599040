// attacker: fork, another user, and a socket that says when it is ready.

#include "support/attacker.hpp"

#include <array>
#include <csignal>
#include <exception>
#include <grp.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/client.hpp"

namespace test {
namespace {

[[noreturn]] void run(const attacker::action& attack, int to) {
  constexpr uid_t id = attacker::user;
  const auto ready = [to] { static_cast<void>(::write(to, "r", 1)); };
  try {
    if (::setgroups(0, nullptr) == 0 && ::setresgid(id, id, id) == 0 &&
        ::setresuid(id, id, id) == 0 && ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0) {
      attack(ready);
    }
  } catch (const std::exception&) {
    // The end of the connection says so.
  }
  ::_exit(1);
}

}  // namespace

attacker::attacker(const action& attack) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::runtime_error("no socket pair");
  }
  const upcase::file_descriptor from(ends[0]);
  upcase::file_descriptor to(ends[1]);
  pid_ = ::fork();
  if (pid_ == 0) {
    run(attack, to.get());
  }
  to.reset();
  if (pid_ < 0 || receive(from.get(), 1) != "r") {
    throw std::runtime_error("the attacker failed");
  }
}

attacker::~attacker() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace test
