// client_end: what upcase says of a connection that ended, and what it leaves
// behind, with servers that do not behave.

#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <utility>

#include "support/client.hpp"
#include "support/one_client_server.hpp"
#include "support/skip.hpp"

namespace {

using namespace std::chrono_literals;
using upcase::file_descriptor;

test::outcome upcase_at(const test::one_client_server& server, std::vector<std::string> arguments,
                        std::string_view input = "") {
  std::vector<std::string> argv{UPCASE_PROGRAM, "--socket", server.socket()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return test::run(argv, input);
}

bool says(const test::outcome& outcome, std::string_view text) {
  return outcome.errors.find(text) != std::string::npos;
}

pid_t client_of(const file_descriptor& connection) {
  ucred who{};
  socklen_t length = sizeof who;
  ::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &who, &length);
  return who.pid;
}

void wait_for_hang_up(const file_descriptor& connection) {
  pollfd ready{.fd = connection.get(), .events = 0, .revents = 0};
  ::poll(&ready, 1, 30000);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_end)

BOOST_AUTO_TEST_CASE(half_an_answer_is_no_success) {
  const test::one_client_server server([](file_descriptor connection, const auto& file) {
    std::filesystem::remove(file);
    test::receive(connection.get(), 6);
    test::send_all(connection.get(), "HEL");
  });
  const auto outcome = upcase_at(server, {"hello"});
  BOOST_TEST(outcome.code == 74);
  BOOST_TEST(outcome.output == "HEL");
  BOOST_TEST(says(outcome, "after 3 of 6 bytes"));
}

BOOST_AUTO_TEST_CASE(more_than_was_sent_is_not_printed) {
  const test::one_client_server server([](file_descriptor connection, const auto& file) {
    std::filesystem::remove(file);
    test::receive(connection.get(), 6);
    try {
      test::send_all(connection.get(), "HELLO\n" + std::string(std::size_t{4} << 20U, '!'));
    } catch (const std::system_error&) {  // it hangs up
    }
  });
  const auto outcome = upcase_at(server, {"hello"});
  BOOST_TEST(outcome.code == 74);
  BOOST_TEST((outcome.output == "HELLO\n"), outcome.output.size() << " bytes came");
  BOOST_TEST(says(outcome, "more than the 6 bytes"));
}

BOOST_AUTO_TEST_CASE(what_was_not_asked_for_is_not_printed) {
  const test::one_client_server server([](file_descriptor connection, const auto& file) {
    std::filesystem::remove(file);
    test::send_all(connection.get(), "surprise");
    wait_for_hang_up(connection);
  });
  const auto outcome = upcase_at(server, {"--timeout", "5s"});
  BOOST_TEST(outcome.code == 74);
  BOOST_TEST(outcome.output == "");
}

BOOST_AUTO_TEST_CASE(a_file_planted_at_its_name_is_not_its_own) {
  const test::one_client_server server([](file_descriptor connection, const auto& file) {
    test::receive_to_end(connection.get());
    std::filesystem::remove(file);
    test::bind_to(test::make_socket().get(), file);
  });
  const auto outcome = upcase_at(server, {});
  BOOST_TEST(outcome.code == 0);
  BOOST_TEST(outcome.errors == "");
  BOOST_TEST(!std::filesystem::is_empty(server.clients()));  // nor is it removed
}

BOOST_AUTO_TEST_CASE(a_file_may_be_removed_a_moment_after_the_end) {
  const test::one_client_server server([](file_descriptor connection, const auto& file) {
    const pid_t client = client_of(connection);
    test::receive_to_end(connection.get());
    connection.reset();
    // Not before it has looked once, and sleeps before it looks again.
    test::eventually([&] { return test::call_of(client) == SYS_clock_nanosleep; }, 5s);
    std::filesystem::remove(file);
  });
  const auto outcome = upcase_at(server, {});
  BOOST_TEST(outcome.code == 0);
  BOOST_TEST(outcome.errors == "");
}

BOOST_AUTO_TEST_CASE(refused_by_a_living_server) {
  const test::one_client_server server([](const file_descriptor&, const auto&) {});
  const auto outcome = upcase_at(server, {"x"});
  BOOST_TEST(outcome.code == 77);
  BOOST_TEST(says(outcome, "process " + std::to_string(::getpid())));
  BOOST_TEST(!says(outcome, "journalctl"));
  BOOST_TEST(std::filesystem::is_empty(server.clients()));
}

BOOST_AUTO_TEST_CASE(a_server_that_is_gone_has_refused_nobody) {
  for (const bool with_its_socket : {false, true}) {
    std::atomic<test::one_client_server*> self = nullptr;
    test::one_client_server server([&](file_descriptor connection, const auto&) {
      self.load()->close_listener();
      if (with_its_socket) {
        std::filesystem::remove(self.load()->socket());
      }
      connection.reset();
    });
    self = &server;
    const auto outcome = upcase_at(server, {"x"});
    BOOST_TEST(outcome.code == 69);
    BOOST_TEST(says(outcome, "'upcased --socket " + server.socket().native() + "'"));
    BOOST_TEST(std::filesystem::is_empty(server.clients()));
  }
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_server_that_ends_is_not_refused) {
  const test::temporary_directory place;
  const auto path = place.path() / "upcased.sock";
  std::filesystem::create_directory(place.path() / "clients");
  auto listening = test::make_socket();
  test::bind_to(listening.get(), path);
  BOOST_REQUIRE(::listen(listening.get(), 1) == 0);
  test::process client({.argv = {UPCASE_PROGRAM, "--socket", path, "x"}});
  pollfd connected{.fd = listening.get(), .events = POLLIN, .revents = 0};
  BOOST_TEST(::poll(&connected, 1, 10000) == 1);
  listening.reset();
  BOOST_TEST(client.wait().value_or(-1) == 69);
}

BOOST_AUTO_TEST_CASE(a_service_managers_socket_has_its_log_in_the_journal) {
  BOOST_REQUIRE(::prctl(PR_SET_NAME, "systemd") == 0);  // who listens is known by its name
  const test::one_client_server first([](const file_descriptor&, const auto&) {});
  const auto outcome = upcase_at(first, {"x"});
  const test::one_client_server second([](const file_descriptor& connection, const auto&) {
    test::receive_to_end(connection.get());
  });
  const auto nothing_sent = upcase_at(second, {});
  ::prctl(PR_SET_NAME, "test");
  BOOST_TEST(outcome.code == 77);
  BOOST_TEST(says(outcome, "'journalctl"), outcome.errors);
  BOOST_TEST(says(outcome, " -u upcased'"), outcome.errors);
  BOOST_TEST(!says(outcome, "or is stopping"), outcome.errors);
  BOOST_TEST(nothing_sent.code == 77);
  BOOST_TEST(says(nothing_sent, "or is stopping"), nothing_sent.errors);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_stopping_has_refused_nobody) {
  for (const bool after_all_was_sent : {false, true}) {
    const test::one_client_server server([&](const file_descriptor& connection, const auto&) {
      const pid_t client = client_of(connection);
      pollfd sent{.fd = connection.get(), .events = POLLRDHUP, .revents = 0};
      if (after_all_was_sent) {
        ::poll(&sent, 1, 5000);
      }
      ::shutdown(connection.get(), SHUT_WR);
      // It closes when the client has looked at that.
      test::eventually([&] { return test::call_of(client) == SYS_clock_nanosleep; }, 5s);
    });
    const auto outcome = upcase_at(server, {"x"});
    BOOST_TEST(outcome.code == 69);
    BOOST_TEST(says(outcome, "is stopping"));
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_is_stopping_is_known_by_who_has_not_sent_yet) {
  file_descriptor kept;
  const test::one_client_server server([&](file_descriptor connection, const auto&) {
    ::shutdown(connection.get(), SHUT_WR);
    kept = std::move(connection);
  });
  const auto pipe = server.directory() / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const file_descriptor writer(::open(pipe.c_str(), O_RDWR | O_CLOEXEC));
  test::process client({.argv = {UPCASE_PROGRAM, "--socket", server.socket()}, .input = pipe});
  BOOST_TEST(client.wait(5s).value_or(-1) == 69);
}

BOOST_AUTO_TEST_SUITE_END()
