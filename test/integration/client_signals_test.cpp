// client_signals: whenever a signal ends upcase, its socket file is gone.

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"
#include "support/tracer.hpp"

namespace {

using namespace std::chrono_literals;
using upcase::file_descriptor;

// A socket where nobody listens: upcase makes its file, cannot connect, removes
// the file and says so.
class deserted_socket {
 public:
  deserted_socket() {
    test::bind_to(test::make_socket().get(), socket());
    std::filesystem::create_directory(clients());
  }

  [[nodiscard]] const std::filesystem::path& path() const { return place_.path(); }
  [[nodiscard]] bool has_no_file() const { return std::filesystem::is_empty(clients()); }

  /// upcase under strace(1) with these options, and what that has written.
  [[nodiscard]] test::process_options traced(const std::vector<std::string>& options,
                                             const std::filesystem::path& errors = {}) const {
    std::vector<std::string> argv{"strace", "-D", "-o", path() / "trace"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {UPCASE_PROGRAM, "--socket", socket(), "x"});
    return {.argv = argv, .environment = {test::without_leak_check}, .errors = errors};
  }
  [[nodiscard]] std::string trace() const { return test::read_file(path() / "trace"); }

 private:
  [[nodiscard]] std::filesystem::path socket() const { return path() / "upcased.sock"; }
  [[nodiscard]] std::filesystem::path clients() const { return path() / "clients"; }

  test::temporary_directory place_;
};

// A pipe in `place` for a program's standard error, so full that it blocks there.
class full_pipe {
 public:
  explicit full_pipe(const std::filesystem::path& place) : path_(place / "full") {
    BOOST_REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
    held_.reset(::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    const std::array<char, 4096> bytes{};
    while (::write(held_.get(), bytes.data(), bytes.size()) > 0) {
    }
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  file_descriptor held_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(client_signals)

BOOST_AUTO_TEST_CASE(a_signal_removes_the_socket_file) {
  const test::daemon daemon;
  daemon.signal(SIGSTOP);  // so that the file is still the client's to remove
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
                           SIGPROF, SIGXCPU, SIGXFSZ, SIGPOLL, SIGPWR, SIGSTKFLT}) {
    test::process client({.argv = {UPCASE_PROGRAM, "--socket", daemon.socket(), "x"}});
    BOOST_TEST(test::eventually([&] { return !std::filesystem::is_empty(daemon.clients()); }));
    // The file is there an instant before the handler is: until then the
    // signal is held back, not lost.
    client.signal(signal);
    BOOST_TEST(client.wait().value_or(-1) == 128 + signal);
    BOOST_TEST(std::filesystem::is_empty(daemon.clients()));
  }
  daemon.signal(SIGCONT);
}

BOOST_AUTO_TEST_CASE(an_ignored_signal_stays_ignored) {
  const test::daemon daemon;
  daemon.signal(SIGSTOP);
  const auto out = daemon.directory() / "out";
  test::process client({.argv = {UPCASE_PROGRAM, "--socket", daemon.socket(), "x"},
                        .output = out,
                        .before_exec = [] { return std::signal(SIGHUP, SIG_IGN) != SIG_ERR; }});
  BOOST_TEST(test::eventually([&] { return !std::filesystem::is_empty(daemon.clients()); }));
  client.signal(SIGHUP);
  daemon.signal(SIGCONT);
  BOOST_TEST(client.wait().value_or(-1) == 0);
  BOOST_TEST(test::read_file(out) == "X\n");
}

BOOST_AUTO_TEST_CASE(a_signal_between_the_file_and_its_handler_waits) {
  SKIP_UNLESS(test::can_trace(), "strace(1) cannot trace here");
  const deserted_socket where;
  test::process client(where.traced({"--inject=bind:signal=SIGTERM"}));
  BOOST_TEST(client.wait().value_or(-1) == 128 + SIGTERM);
  BOOST_TEST(where.has_no_file());
}

// At its end it takes the file from the handler, looks whether it is still its own,
// and removes it.
BOOST_AUTO_TEST_CASE(a_signal_between_the_handler_and_the_removal_waits) {
  SKIP_UNLESS(test::can_trace(), "strace(1) cannot trace here");
  const deserted_socket where;
  test::process undisturbed(where.traced({"--trace=newfstatat,unlinkat"}));
  BOOST_REQUIRE(undisturbed.wait().value_or(-1) == 69);
  BOOST_REQUIRE(
      test::eventually([&] { return where.trace().find("exited with 69") != std::string::npos; }));
  const std::string calls = where.trace();
  const auto looks =
      test::occurrences(std::string_view(calls).substr(0, calls.find("unlinkat(")), "newfstatat(");
  BOOST_REQUIRE(looks > 0U);
  test::process client(
      where.traced({"--inject=newfstatat:signal=SIGTERM:when=" + std::to_string(looks)}));
  BOOST_TEST(client.wait().value_or(-1) == 128 + SIGTERM);
  BOOST_TEST(where.has_no_file());
}

BOOST_AUTO_TEST_CASE(a_signal_while_it_explains_removes_nothing_else) {
  SKIP_UNLESS(test::can_trace(), "strace(1) cannot trace here");
  const deserted_socket where;
  const full_pipe errors(where.path());
  test::process client(where.traced({"-e", "trace=%file"}, errors.path()));
  BOOST_TEST(test::eventually([&] { return test::call_of(client.pid()) == SYS_write; }, 10s));
  client.signal(SIGTERM);
  BOOST_TEST(client.wait().value_or(-1) == 128 + SIGTERM);
  BOOST_TEST(test::eventually(
      [&] { return where.trace().find("killed by SIGTERM") != std::string::npos; }));
  const std::string calls = where.trace();
  // Sanitizers remove files of their own, by unlink(2) and before that.
  const auto signalled = calls.find("--- SIGTERM");
  BOOST_TEST(test::occurrences(calls, "unlinkat(") == 1U, calls);
  BOOST_TEST(calls.find("unlinkat(") < signalled, calls);
  BOOST_TEST((calls.find("unlink", signalled) == std::string::npos), calls);
  BOOST_TEST((calls.find("stat", calls.find("--- SIGTERM")) == std::string::npos), calls);
  BOOST_TEST(where.has_no_file());
}

BOOST_AUTO_TEST_SUITE_END()
