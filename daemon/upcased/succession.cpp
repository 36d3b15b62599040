// succession: gather, carry, and leave; or take everything back.

#include "succession.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <new>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <upcase/descriptor_closer.hpp>
#include <upcase/runtime_directory.hpp>
#include <upcase/system_calls.hpp>
#include <utility>

#include "child.hpp"
#include "signals.hpp"

namespace upcased {
namespace {

// The thread that accepts waits so long; before an exec, nobody is served meanwhile.
constexpr std::chrono::seconds closing_grace{1};

// A name service may keep the check waiting, and while it runs nothing is closed.
constexpr std::chrono::seconds longest_check{60};

// Starts `program ARGV... --check`, its report on our standard error. A pidfd
// through which its end can be awaited, or -errno.
int start_check(const std::string& program, std::vector<std::string> argv, pid_t& pid) {
  argv.emplace_back("--check");
  // With a runtime directory it answers for this process, and for no unit.
  const std::string runtime = "RUNTIME_DIRECTORY=" + upcase::daemon_runtime_directory().native();
  const int error =
      start_child({.program = program, .argv = std::move(argv), .environment = runtime}, pid);
  if (error != 0) {
    return -error;
  }
  // The header of glibc 2.36 declares its pidfd_open for C only.
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  return fd >= 0 ? fd : -errno;
}

}  // namespace

succession::succession(boost::asio::io_context& context, upcase::server& server,
                       const service_manager& manager, upcase::log& journal,
                       std::vector<std::string> argv)
    : server_(server),
      manager_(manager),
      journal_(journal),
      argv_(std::move(argv)),
      checker_(context),
      check_limit_(context) {
  // Now, since after an upgrade it would read as the old, deleted file.
  std::error_code ignored;
  program_ = std::filesystem::read_symlink("/proc/self/exe", ignored).native();
}

void succession::begin(estate rest, std::function<void(outcome)> ended) {
  if (ended_) {
    return;
  }
  rest_ = std::move(rest);
  ended_ = std::move(ended);
  if (manager_.stores_descriptors()) {
    gather();
  } else {
    check_successor();
  }
}

bool succession::cancel() {
  if (checker_.is_open()) {
    ::kill(checked_, SIGKILL);  // its result interests nobody any more
    checker_.close();
    check_limit_.cancel();
    upcase::descriptor_closer::of_process().go_on();
    ended_ = nullptr;
  }
  cancelled_ = gathering_;
  return gathering_;
}

void succession::gather() {
  try {
    server_.hand_over([this](upcase::cargo load) { gathered(std::move(load)); });
    gathering_ = true;
  } catch (const std::bad_alloc& error) {
    tell(upcase::log_level::error, "failed", error.what());
    // A service manager that restarts us would kill who goes on serving.
    end(manager_.stores_descriptors() ? outcome::partly : outcome::failed);
  }
}

void succession::gathered(upcase::cargo load) {
  gathering_ = false;
  if (std::exchange(cancelled_, false)) {
    take_back({.carriers = {}, .left = std::move(load.clients)});
    end(outcome::failed);
  } else if (manager_.stores_descriptors()) {
    store(std::move(load));
  } else {
    become_successor(std::move(load));
  }
}

void succession::store(upcase::cargo load) {
  const std::size_t clients = load.clients.size();
  auto loaded = upcase::load_carriers(std::move(load));
  std::vector<named_descriptor> rest = rest_();
  // Its own socket it has.
  std::erase_if(rest, [](const auto& each) { return each.name == activated_name; });
  bool stored = manager_.store(carrier_name, loaded.carriers);
  for (const auto& [name, fd] : rest) {
    stored = manager_.store(name.c_str(), fd) && stored;
  }
  if (!stored || !manager_.has_heard()) {
    tell(upcase::log_level::error, "failed", "the service manager does not take the descriptors");
    take_back(std::move(loaded));
    end(outcome::partly);
    return;
  }
  // Whoever stops the unit while it restarts wants its clients answered, and
  // would have the store thrown away.
  if (stop_is_pending()) {
    manager_.forget(carrier_name);
    for (const auto& each : rest) {
      manager_.forget(each.name.c_str());
    }
    take_back(std::move(loaded));
    end(outcome::failed);
    return;
  }
  journal_.write(upcase::log_level::info, upcase::event::status,
                 {{"hand-over", "stored"},
                  {"clients", clients - loaded.left.size()},
                  {"left", loaded.left.size()}});
  if (loaded.left.empty()) {
    end(outcome::done);
    return;
  }
  loaded.carriers.clear();
  take_back(std::move(loaded));
  end(outcome::partly);
}

void succession::check_successor() {
  if (!closing_is_done()) {
    end(outcome::failed);
    return;
  }
  pid_t pid = -1;
  upcase::descriptor_closer::of_process().hold();
  const int fd = start_check(program_, argv_, pid);
  if (fd < 0) {
    upcase::descriptor_closer::of_process().go_on();
    tell(upcase::log_level::error, "failed",
         fmt::format("cannot start '{}': {}", program_, upcase::describe(-fd)));
    end(outcome::failed);
    return;
  }
  checked_ = pid;
  checker_.assign(fd);
  checker_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& cancelled) {
                        if (!cancelled) {
                          checker_.close();
                          check_limit_.cancel();
                          successor_checked();
                        }
                      });
  check_limit_.expires_after(longest_check);
  check_limit_.async_wait([this, pid](const boost::system::error_code& cancelled) {
    if (!cancelled && checker_.is_open() && checked_ == pid) {
      ::kill(pid, SIGKILL);
    }
  });
}

void succession::successor_checked() {
  upcase::descriptor_closer::of_process().go_on();
  int status = 0;
  const bool ended = ::waitpid(checked_, &status, 0) == checked_;
  if (!ended || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const std::string what = !ended || !WIFEXITED(status)
                                 ? "did not come to an end"
                                 : fmt::format("ended with {}", WEXITSTATUS(status));
    tell(upcase::log_level::error, "refused",
         fmt::format("'{} --check' {}; this process goes on serving", program_, what));
    end(outcome::failed);
    return;
  }
  gather();
}

void succession::become_successor(upcase::cargo load) {
  auto loaded = upcase::load_carriers(std::move(load));
  if (!loaded.left.empty()) {
    tell(upcase::log_level::error, "failed",
         fmt::format("no room for {} of the clients' descriptors on their way (ulimit -n)",
                     loaded.left.size()));
    take_back(std::move(loaded));
    end(outcome::failed);
    return;
  }
  if (!closing_is_done()) {
    take_back(std::move(loaded));
    end(outcome::failed);
    return;
  }
  std::vector<named_descriptor> all = rest_();
  for (const auto& carrier : loaded.carriers) {
    all.push_back({carrier_name, carrier.get()});
  }
  tell(upcase::log_level::info, "exec", program_);
  bequeath(all);
  ::execv(program_.c_str(), pointers_to(argv_).data());
  const int error = errno;
  keep(all);
  tell(upcase::log_level::error, "failed",
       fmt::format("cannot become '{}': {}", program_, upcase::describe(error)));
  take_back(std::move(loaded));
  end(outcome::failed);
}

// What is still being closed exec(2) would close itself, or wait for the thread
// that does: in a child that is to check the configuration, and in this process.
bool succession::closing_is_done() {
  const bool done = upcase::descriptor_closer::of_process().finish(closing_grace);
  if (!done) {
    tell(upcase::log_level::error, "failed",
         "descriptors that clients had sent take too long to close");
  }
  return done;
}

void succession::take_back(upcase::loaded_carriers loaded) {
  upcase::cargo all{.served = 0, .refused = 0, .clients = std::move(loaded.left)};
  for (const auto& carrier : loaded.carriers) {
    upcase::cargo part = upcase::unload_carrier(carrier.get()).load;
    std::ranges::move(part.clients, std::back_inserter(all.clients));
  }
  server_.take_over(std::move(all));
  server_.start();
}

void succession::tell(upcase::log_level level, std::string_view what, std::string_view reason) {
  journal_.write(level, upcase::event::status, {{"hand-over", what}, {"reason", reason}});
}

void succession::end(outcome how) { std::exchange(ended_, nullptr)(how); }

}  // namespace upcased
