// daemon: starting it, and reading its log.

#include "support/daemon.hpp"

#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>

#include "support/client.hpp"

namespace test {

daemon::daemon() : daemon(options{}) {}

daemon::daemon(options given) : options_(std::move(given)) {
  if (options_.config) {
    write_file(config(), *options_.config);
  }
  start();
}

void daemon::start() {
  const std::size_t before = count("state=serving");
  launch({.argv = {}, .environment = options_.environment, .before_exec = options_.before_exec},
         {});
  wait_until_serving(before);
}

void daemon::start_with(const std::vector<passed_descriptor>& passed,
                        const std::vector<std::string>& arguments) {
  const std::size_t before = count("state=serving");
  launch({.argv = {}, .environment = options_.environment, .before_exec = passing(passed)},
         arguments);
  if (arguments.empty()) {
    wait_until_serving(before);
  }
}

void daemon::launch(process_options child, const std::vector<std::string>& arguments) {
  child.argv = {options_.program};
  if (options_.bare) {
    child.environment.push_back("RUNTIME_DIRECTORY=" + directory().native());
  } else {
    child.argv.insert(child.argv.end(), {"--socket", socket(), "--client-directory", clients()});
  }
  // A file or an option of the test's own comes later, and so wins.
  if (const char* threads = std::getenv("UPCASE_TEST_THREADS")) {
    child.argv.insert(child.argv.end(), {"--threads", threads});
  }
  child.argv.insert(child.argv.end(),
                    {"--config", options_.config ? config().native() : "/dev/null"});
  child.argv.insert(child.argv.end(), options_.arguments.begin(), options_.arguments.end());
  child.argv.insert(child.argv.end(), arguments.begin(), arguments.end());
  child.errors = directory() / "log";
  process_.emplace(child);
}

void daemon::wait_until_serving(std::size_t before) {
  if (!comes_to("service", [&] { return count("state=serving") > before; })) {
    throw std::runtime_error("upcased did not start:\n" + log());
  }
}

std::string daemon::log() const { return read_file(directory() / "log"); }

upcase::file_descriptor daemon::connect() const { return connect_client(socket(), clients()); }

std::size_t daemon::count(std::string_view text) const { return occurrences(log(), text); }

bool daemon::comes_to(std::string_view what, const std::function<bool()>& condition,
                      std::chrono::nanoseconds limit) const {
  // In this order: what it did last counts.
  holds_within([&] { return !running() || condition(); }, limit);
  if (condition()) {
    return true;
  }
  waited_in_vain(
      limit,
      fmt::format("{}; the daemon {}, and has logged:", what, running() ? "runs" : "has ended"),
      log());
  return false;
}

bool daemon::logged(std::string_view text, std::size_t times,
                    std::chrono::nanoseconds limit) const {
  return comes_to(
      fmt::format("'{}' in the log, {} times", text, times), [&] { return count(text) >= times; },
      limit);
}

std::optional<int> daemon::wait(std::chrono::nanoseconds limit) {
  const auto code = process_->wait(limit);
  if (!code) {
    waited_in_vain(limit, "its end; the daemon has logged:", log());
  }
  return code;
}

std::optional<int> daemon::stop() {
  signal(SIGTERM);
  return wait();
}

bool daemon::reload() {
  const auto reloads = [this] { return count("reload=done") + count("reload=refused"); };
  const std::size_t before = reloads();
  signal(SIGHUP);
  return comes_to("the end of a reload", [&] { return reloads() > before; });
}

void daemon::kill() {
  signal(SIGKILL);
  wait();
}

}  // namespace test
