// process: fork, exec, wait.

#include "support/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <grp.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "support/temporary_directory.hpp"

namespace test {
namespace {

void redirect(const std::filesystem::path& file, int flags, int to) {
  const int fd = ::open(file.empty() ? "/dev/null" : file.c_str(), flags | O_NOCTTY, 0600);
  if (fd < 0 || ::dup2(fd, to) < 0) {
    ::_exit(126);
  }
  ::close(fd);
}

void apply_environment(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    const auto equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    if (equals == std::string::npos) {
      ::unsetenv(name.c_str());
    } else {
      ::setenv(name.c_str(), entry.c_str() + equals + 1, 1);
    }
  }
}

// proc(5): from the third field on; the second, in parentheses, may hold blanks.
std::string stat_of(pid_t id) {
  const std::string stat = read_file("/proc/" + std::to_string(id) + "/stat");
  return stat.substr(stat.rfind(')') + 2);
}

int decode(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// Waits without being told, so as to have an upper bound.
std::optional<int> reap(pid_t pid, std::chrono::nanoseconds limit) {
  int status = 0;
  const bool ended = holds_within([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }, limit);
  return ended ? std::optional(decode(status)) : std::nullopt;
}

}  // namespace

std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

process::process(const process_options& options) {
  pid_ = ::fork();
  if (pid_ < 0) {
    throw std::runtime_error("fork failed");
  }
  if (pid_ > 0) {
    return;
  }
  // A group of its own, so that what it starts can be ended with it.
  ::setpgid(0, 0);
  redirect(options.input, O_RDONLY, STDIN_FILENO);
  redirect(options.output, O_WRONLY | O_CREAT | O_APPEND, STDOUT_FILENO);
  redirect(options.errors, O_WRONLY | O_CREAT | O_APPEND, STDERR_FILENO);
  apply_environment(options.environment);
  if (options.before_exec && !options.before_exec()) {
    ::_exit(127);
  }
  std::vector<char*> argv;
  for (const std::string& argument : options.argv) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  ::_exit(127);
}

process::~process() {
  ::kill(-pid_, SIGKILL);
  wait();
}

void process::signal(int number) const {
  if (!status_) {
    ::kill(pid_, number);
  }
}

std::optional<int> process::wait(std::chrono::nanoseconds limit) {
  if (!status_) {
    status_ = reap(pid_, limit);
  }
  if (!status_) {
    waited_in_vain(limit, fmt::format("the end of process {}", pid_));
  }
  return status_;
}

bool process::running() const {
  siginfo_t end{};
  return !status_ &&
         ::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         end.si_pid == 0;
}

outcome run(std::vector<std::string> argv, std::string_view input,
            std::vector<std::string> environment) {
  const temporary_directory place;
  write_file(place.path() / "in", input);
  process child({.argv = std::move(argv),
                 .environment = std::move(environment),
                 .input = place.path() / "in",
                 .output = place.path() / "out",
                 .errors = place.path() / "err",
                 .before_exec = {}});
  const auto code = child.wait();
  return {.code = code.value_or(-1),
          .output = read_file(place.path() / "out"),
          .errors = read_file(place.path() / "err")};
}

std::optional<int> run_as(uid_t uid, gid_t gid, const std::function<int()>& action) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    int code = 250;
    if (::setgroups(0, nullptr) == 0 && ::setresgid(gid, gid, gid) == 0 &&
        ::setresuid(uid, uid, uid) == 0 &&
        // Changing the user made our own /proc files root's (proc(5)).
        ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0) {
      try {
        code = action();
      } catch (const std::exception&) {
        code = 250;
      }
    }
    ::_exit(code);
  }
  const auto limit = patience_left();
  const auto code = reap(pid, limit);
  if (!code) {
    waited_in_vain(limit, fmt::format("the end of process {}", pid));
    ::kill(pid, SIGKILL);
    reap(pid, limit);
  }
  return code;
}

bool asleep(pid_t id) { return stat_of(id).starts_with('S'); }

long call_of(pid_t id) {
  const std::string text = read_file("/proc/" + std::to_string(id) + "/syscall");
  return text.empty() || text.front() == 'r' ? -1 : std::stol(text);
}

bool stopped(pid_t pid) { return stat_of(pid).starts_with('T'); }

std::string status_field(pid_t pid, std::string_view name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) {
      return line.substr(name.size());
    }
  }
  return "";
}

std::chrono::nanoseconds processor_time(pid_t pid) {
  // proc(5): fields 14 and 15.
  std::istringstream fields(stat_of(pid));
  std::string skipped;
  for (int field = 3; field < 14; ++field) {
    fields >> skipped;
  }
  long long user = 0;
  long long system = 0;
  fields >> user >> system;
  return std::chrono::nanoseconds(std::chrono::seconds(1)) * (user + system) /
         ::sysconf(_SC_CLK_TCK);
}

std::size_t resident_memory(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace test
