// pressure: clients that take what they can get. The daemon's memory and its
// processor time stay bounded, and others are served meanwhile.

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <upcase/client_log.hpp>
#include <upcase/line_limit.hpp>
#include <vector>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"

#ifdef __SANITIZE_THREAD__
#define UNDER_SANITIZER 1
#elif defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#else
#define UNDER_SANITIZER 0
#endif

namespace {

using namespace std::chrono_literals;
using clients = std::vector<upcase::file_descriptor>;

// Sends `text` and takes the answer, `step` bytes after each pause. How many came.
std::size_t exchange_slowly(int socket, std::string_view text, std::size_t step,
                            std::chrono::milliseconds pause) {
  std::string part(step, '\0');
  std::size_t received = 0;
  for (std::size_t sent = 0; received < text.size();) {
    const ssize_t given =
        ::send(socket, text.data() + sent, text.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    sent += given > 0 ? static_cast<std::size_t>(given) : 0;
    const ssize_t got = ::recv(socket, part.data(), part.size(), 0);
    if (got <= 0) {
      break;
    }
    received += static_cast<std::size_t>(got);
    std::this_thread::sleep_for(pause);
  }
  return received;
}

// As RestrictAddressFamilies=AF_UNIX does: socket(AF_NETLINK, ...) fails.
bool forbid_netlink() {
  std::array<sock_filter, 6> filter{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pressure)

BOOST_AUTO_TEST_CASE(readers_that_never_read) {
  const test::daemon daemon;
  const std::size_t before = test::resident_memory(daemon.pid());
  clients greedy;
  for (int i = 0; i < 50; ++i) {
    greedy.push_back(daemon.connect());
    BOOST_TEST(test::fill(greedy.back().get(), 1).size() < (std::size_t{4} << 20U));
  }
  BOOST_TEST(test::served(daemon.connect().get()));
  if (UNDER_SANITIZER == 0) {
    BOOST_TEST(test::resident_memory(daemon.pid()) < before + (std::size_t{8} << 20U));
  }
  const auto busy = test::processor_time(daemon.pid());
  std::this_thread::sleep_for(std::chrono::seconds(1));
  BOOST_TEST((test::processor_time(daemon.pid()) - busy).count() < 200'000'000);
}

BOOST_AUTO_TEST_CASE(a_flood_of_served_clients_does_not_drown_the_log) {
  test::daemon daemon;
  for (int i = 0; i < 1000; ++i) {
    daemon.connect();
  }
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  BOOST_TEST(daemon.logged("clients-not-logged="));
  BOOST_TEST(daemon.count("allow ") <= 300U);
}

BOOST_AUTO_TEST_CASE(write_timeout_ends_a_reader_that_never_reads) {
  const test::daemon daemon({.arguments = {"--write-timeout", "1s"}});
  const auto client = daemon.connect();
  test::fill(client.get(), 1);
  BOOST_TEST(daemon.logged("reason=write-timeout"));
}

// The kernel calls the socket writable only when some 190,000 bytes were read.
BOOST_AUTO_TEST_CASE(a_slow_reader_gets_everything) {
  for (const bool sandboxed : {false, true}) {
    const test::daemon daemon({.arguments = {"--write-timeout", "1s"},
                               .before_exec = sandboxed ? forbid_netlink : nullptr});
    const auto client = daemon.connect();
    const std::string sent(500'000, 'a');
    BOOST_TEST(exchange_slowly(client.get(), sent, 2'000, 20ms) == sent.size());
    BOOST_TEST(daemon.count("reason=write-timeout") == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_reader_of_a_few_bytes_is_not_ended_until_it_stops) {
  const test::daemon daemon({.arguments = {"--write-timeout", "1s"}});
  const auto client = daemon.connect();
  test::fill(client.get(), 1);
  for (int i = 0; i < 12; ++i) {
    BOOST_REQUIRE(test::receive(client.get(), 100).size() == 100U);
    std::this_thread::sleep_for(400ms);
  }
  BOOST_TEST(daemon.count("reason=write-timeout") == 0U);
  BOOST_TEST(daemon.logged("reason=write-timeout"));
}

BOOST_AUTO_TEST_CASE(without_the_kernels_answer_who_takes_nothing_is_ended_too) {
  const test::daemon daemon(
      {.arguments = {"--write-timeout", "1s"}, .before_exec = forbid_netlink});
  const auto never = daemon.connect();
  test::fill(never.get(), 1);
  BOOST_TEST(daemon.logged("reason=write-timeout"));
  // Some bytes, and then none.
  const auto stops = daemon.connect();
  test::fill(stops.get(), 1);
  BOOST_TEST(test::receive(stops.get(), 50'000).size() == 50'000U);
  BOOST_TEST(daemon.logged("reason=write-timeout", 2));
}

BOOST_AUTO_TEST_CASE(idle_timeout_ends_the_silent_and_not_the_others) {
  const test::daemon daemon({.arguments = {"--idle-timeout", "1500ms"}});
  const auto silent = daemon.connect();
  const auto talker = daemon.connect();
  for (int i = 0; i < 30; ++i) {
    BOOST_TEST(test::served(talker.get()));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  BOOST_TEST(daemon.count("reason=idle-timeout") == 1U);
  BOOST_TEST(test::refused(silent.get()));
}

BOOST_AUTO_TEST_CASE(max_clients_makes_the_next_one_wait) {
  const test::daemon daemon({.arguments = {"--max-clients", "2"}});
  clients in;
  in.push_back(daemon.connect());
  in.push_back(daemon.connect());
  BOOST_TEST(test::served(in[0].get()));
  BOOST_TEST(test::served(in[1].get()));
  const auto third = daemon.connect();
  test::send_all(third.get(), "hello\n");
  BOOST_TEST(test::receive(third.get(), 6, std::chrono::milliseconds(300)).empty());
  in.pop_back();
  BOOST_TEST(test::receive(third.get(), 6) == "HELLO\n");
}

BOOST_AUTO_TEST_CASE(one_user_over_its_quota) {
  const test::daemon daemon({.arguments = {"--max-clients-per-user", "2"}});
  const auto first = daemon.connect();
  auto second = daemon.connect();
  BOOST_TEST(test::served(first.get()));
  BOOST_TEST(test::served(second.get()));
  BOOST_TEST(test::refused(daemon.connect().get()));
  BOOST_TEST(daemon.logged("verdict=over-quota"));
  second.reset();
  BOOST_TEST(test::eventually([&] { return test::served(daemon.connect().get()); }));
}

BOOST_AUTO_TEST_CASE(who_was_told_the_end_has_a_place_again) {
  const test::daemon daemon({.arguments = {"--max-clients-per-user", "1"}});
  for (int i = 0; i < 200; ++i) {
    const auto client = daemon.connect();
    BOOST_REQUIRE(test::served(client.get()));
    BOOST_REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
    BOOST_REQUIRE(test::receive_to_end(client.get()).empty());
  }
}

BOOST_AUTO_TEST_CASE(out_of_descriptors_it_waits_without_spinning) {
  const test::daemon daemon;
  // As `prlimit --nofile=64` on the running daemon.
  const rlimit low{.rlim_cur = 64, .rlim_max = 64};
  BOOST_REQUIRE(::prlimit(daemon.pid(), RLIMIT_NOFILE, &low, nullptr) == 0);
  clients all;
  for (int i = 0; i < 120; ++i) {
    all.push_back(daemon.connect());
    test::send_all(all.back().get(), "hello\n");
  }
  BOOST_TEST(daemon.logged("accepting=paused"));
  const auto busy = test::processor_time(daemon.pid());
  std::this_thread::sleep_for(std::chrono::seconds(2));
  BOOST_TEST((test::processor_time(daemon.pid()) - busy).count() < 400'000'000);
  BOOST_TEST(daemon.count("accepting=paused") == 1U);
  // Those who came first are served and leave; every other one gets its turn.
  for (auto& client : all) {
    BOOST_TEST(test::receive(client.get(), 6) == "HELLO\n");
    client.reset();
  }
  BOOST_TEST(daemon.count("deny ") == 0U);
}

BOOST_AUTO_TEST_CASE(a_low_limit_at_start_is_a_limit_of_clients) {
  const test::daemon daemon({.before_exec = [] {
    const rlimit low{.rlim_cur = 64, .rlim_max = 64};
    return ::setrlimit(RLIMIT_NOFILE, &low) == 0;
  }});
  clients all;
  for (int i = 0; i < 120; ++i) {
    all.push_back(daemon.connect());
    test::send_all(all.back().get(), "hello\n");
  }
  for (auto& client : all) {
    BOOST_TEST(test::receive(client.get(), 6) == "HELLO\n");
    client.reset();
  }
}

BOOST_AUTO_TEST_CASE(a_flood_of_refusals_does_not_drown_the_log) {
  const test::daemon daemon;
  for (int i = 0; i < 2000; ++i) {
    const auto client = test::make_socket();
    test::connect_to(client.get(), daemon.socket());
  }
  BOOST_TEST(test::served(daemon.connect().get()));
  BOOST_TEST(daemon.logged("refusals-not-logged=", 1, upcase::line_limit::period + test::patience));
  BOOST_TEST(daemon.count("deny ") <= 20U);
}

// A user with an entry in /etc/subuid has tens of thousands of uids to itself.
BOOST_AUTO_TEST_CASE(a_flood_of_uids_neither_drowns_the_log_nor_hides_others) {
  SKIP_UNLESS(test::is_root(), "needs root to act as other users");
  constexpr uid_t first_of_many = 100'000;
  constexpr uid_t many = 2000;
  constexpr uid_t other = 1234;
  test::daemon daemon;
  const auto refused_as = [&](uid_t uid) {
    BOOST_REQUIRE(::seteuid(uid) == 0);
    const auto client = test::make_socket();
    test::connect_to(client.get(), daemon.socket());
    BOOST_REQUIRE(::seteuid(0) == 0);
    BOOST_TEST(test::refused(client.get()));
  };
  const auto served_as = [&](uid_t uid) {
    BOOST_REQUIRE(::seteuid(uid) == 0);
    const auto client = daemon.connect();
    BOOST_REQUIRE(::seteuid(0) == 0);
    BOOST_TEST(test::served(client.get()));
  };
  const auto begin = std::chrono::steady_clock::now();
  for (uid_t uid = first_of_many; uid < first_of_many + many; ++uid) {
    refused_as(uid);
    refused_as(uid);
    served_as(uid);
  }
  refused_as(other);
  served_as(other);
  BOOST_TEST(daemon.stop().value_or(-1) == 0);
  BOOST_TEST(daemon.count("uid=1234 ") == 3U);  // refused, let in, gone
  // One block of uids has half of what all may have in a period.
  const auto periods = 1 + static_cast<std::size_t>((std::chrono::steady_clock::now() - begin) /
                                                    upcase::line_limit::period);
  BOOST_TEST(daemon.count("verdict=") <=
             periods * upcase::client_log::refused_lines_in_all / 2 + 1);
  BOOST_TEST(daemon.count("allow client=") <=
             periods * upcase::client_log::allowed_lines_in_all / 2 + 1);
  BOOST_TEST(daemon.logged("refusals-not-logged=", 1, upcase::line_limit::period + test::patience));
  BOOST_TEST(daemon.logged("uid=others"));
}

BOOST_AUTO_TEST_CASE(clients_that_come_and_go_at_once) {
  const test::daemon daemon;
  for (int i = 0; i < 2000; ++i) {
    const auto client = daemon.connect();
    if (i % 2 == 0) {
      test::send_all(client.get(), "never read");
    }
  }
  BOOST_TEST(daemon.logged("end client=", 100));
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_SUITE_END()
