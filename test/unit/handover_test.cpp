// handover: carriers, and servers that give their clients to each other. All
// in one process; the running daemons are in integration/handover_test.cpp.

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sched.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <upcase/carrier.hpp>
#include <upcase/sealed_memory.hpp>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "support/running_server.hpp"
#include "support/skip.hpp"

namespace {

using namespace std::chrono_literals;
using test::running_server;
using upcase::file_descriptor;

constexpr std::size_t many = 600;  // more than two messages hold

struct connection {
  file_descriptor client;
  upcase::admitted_client served;
};

connection connect_pair(std::uint64_t id) {
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) ==
                0);
  connection result;
  result.client.reset(ends[0]);
  result.served.id = id;
  result.served.socket.reset(ends[1]);
  result.served.who = *upcase::peer_of(ends[1]);
  return result;
}

// Clients' ends, and the cargo of the others.
std::pair<std::vector<file_descriptor>, upcase::cargo> make_cargo(std::size_t count) {
  std::vector<file_descriptor> clients;
  upcase::cargo load{.served = count, .refused = 3, .clients = {}};
  for (std::size_t i = 0; i < count; ++i) {
    connection pair = connect_pair(i + 1);
    clients.push_back(std::move(pair.client));
    load.clients.push_back(std::move(pair.served));
  }
  return {std::move(clients), std::move(load)};
}

// A carrier made by hand: whatever record, whatever descriptor.
file_descriptor carrier_with(int record, int socket) {
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const file_descriptor writing_end(ends[1]);
  for (const int fd : {record, socket}) {
    std::uint32_t count = 1;
    iovec bytes{.iov_base = &count, .iov_len = sizeof count};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    *reinterpret_cast<int*>(CMSG_DATA(rights)) = fd;
    BOOST_REQUIRE(::sendmsg(ends[1], &header, 0) > 0);
  }
  return file_descriptor(ends[0]);
}

constexpr int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

file_descriptor record_of(std::string_view bytes, int seals = all_seals) {
  file_descriptor result(::memfd_create("record", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  BOOST_REQUIRE(::write(result.get(), bytes.data(), bytes.size()) ==
                static_cast<ssize_t>(bytes.size()));
  BOOST_REQUIRE(::fcntl(result.get(), F_ADD_SEALS, seals) == 0);
  return result;
}

std::string record_for(const upcase::admitted_client& client) {
  upcase::cargo load;
  return upcase::encode_head(load, 1) + upcase::encode_client(client);
}

upcase::cargo through_carriers(upcase::cargo load) {
  auto loaded = upcase::load_carriers(std::move(load));
  BOOST_REQUIRE(loaded.left.empty());
  BOOST_REQUIRE(loaded.carriers.size() == 1U);
  auto unloaded = upcase::unload_carrier(loaded.carriers.front().get());
  BOOST_TEST(unloaded.problem == "");
  return std::move(unloaded.load);
}

// All with the number of one socket, which only the first one closes: for a
// child that ends afterwards.
upcase::cargo more_than_one_carrier_holds() {
  upcase::cargo load;
  load.clients.resize(80'000);
  const int socket = connect_pair(1).served.socket.release();
  for (auto& client : load.clients) {
    client.socket.reset(socket);
  }
  return load;
}

constexpr const char* memfd_noexec = "/proc/sys/vm/memfd_noexec";

bool set_memfd_noexec(char level) {
  const file_descriptor sysctl(::open(memfd_noexec, O_WRONLY | O_CLOEXEC));
  return ::write(sysctl.get(), &level, 1) == 1;
}

// 0 if a client comes out of a carrier.
int survives_a_carrier() {
  upcase::cargo load;
  load.clients.push_back(connect_pair(1).served);
  const auto loaded = upcase::load_carriers(std::move(load));
  if (loaded.carriers.size() != 1) {
    return 10;
  }
  const auto unloaded = upcase::unload_carrier(loaded.carriers.front().get());
  return unloaded.load.clients.size() == 1 ? 0 : 11;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handover)

BOOST_AUTO_TEST_CASE(a_carrier_keeps_clients_open_and_in_order) {
  auto [clients, load] = make_cargo(many);
  load.clients[5].progress.pending.append(std::string_view("PEN"));
  auto loaded = upcase::load_carriers(std::move(load));
  BOOST_REQUIRE(loaded.carriers.size() == 1U);
  // What is sent while nobody holds the other end but the carrier.
  for (std::size_t i = 0; i < clients.size(); ++i) {
    test::send_all(clients[i].get(), std::to_string(i));
  }
  const auto unloaded = upcase::unload_carrier(loaded.carriers.front().get());
  BOOST_TEST(unloaded.lost == 0U);
  BOOST_TEST(unloaded.load.served == many);
  BOOST_TEST(unloaded.load.refused == 3U);
  BOOST_REQUIRE(unloaded.load.clients.size() == many);
  for (std::size_t i = 0; i < many; ++i) {
    const auto& client = unloaded.load.clients[i];
    BOOST_TEST(client.id == i + 1);
    BOOST_TEST(test::receive(client.socket.get(), 3, 0ns) == std::to_string(i));
  }
  BOOST_TEST(std::ranges::equal(unloaded.load.clients[5].progress.pending.bytes(),
                                std::string_view("PEN")));
  // It is empty now.
  const auto again = upcase::unload_carrier(loaded.carriers.front().get());
  BOOST_TEST(again.load.clients.empty());
  BOOST_TEST(again.lost == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_no_carrier_is_empty) {
  const connection pair = connect_pair(1);
  BOOST_TEST(upcase::unload_carrier(-1).load.clients.empty());
  BOOST_TEST(upcase::unload_carrier(pair.client.get()).load.clients.empty());
}

BOOST_AUTO_TEST_CASE(clients_of_a_bad_record_are_closed_and_counted) {
  const auto expect_lost = [](const file_descriptor& record, std::string_view why) {
    connection pair = connect_pair(1);
    const auto carrier = carrier_with(record.get(), pair.served.socket.get());
    upcase::close_here(pair.served.socket.release());  // the carrier has it
    const auto unloaded = upcase::unload_carrier(carrier.get());
    BOOST_TEST(unloaded.load.clients.empty());
    BOOST_TEST(unloaded.lost == 1U);
    BOOST_TEST((unloaded.problem.find(why) != std::string::npos), unloaded.problem);
    BOOST_TEST(test::refused(pair.client.get()));
  };
  const connection some = connect_pair(1);
  const std::string sound = record_for(some.served);
  expect_lost(record_of("noise"), "no record");
  expect_lost(record_of(""), "no record");
  for (const int missing : {all_seals, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_SEAL}) {
    expect_lost(record_of(sound, all_seals & ~missing), "no record");
  }
  expect_lost(record_of(std::string_view(sound).substr(0, sound.size() - 1)), "too short");
  expect_lost(record_of(upcase::encode_head({}, 0)), "do not match");

  std::string newer = sound;
  const std::uint32_t version = 99;
  std::memcpy(newer.data() + sizeof(std::uint64_t), &version, sizeof version);
  expect_lost(record_of(newer), "version 99");

  upcase::admitted_client stranger;
  stranger.who = {.uid = some.served.who.uid + 1, .gid = some.served.who.gid, .pid = 1};
  expect_lost(record_of(record_for(stranger)), "somebody else");
  stranger.who = {.uid = some.served.who.uid, .gid = some.served.who.gid + 1, .pid = 1};
  expect_lost(record_of(record_for(stranger)), "somebody else");
}

BOOST_AUTO_TEST_CASE(with_too_few_descriptors_the_rest_is_closed_and_counted) {
  auto [clients, load] = make_cargo(many);
  auto loaded = upcase::load_carriers(std::move(load));
  BOOST_REQUIRE(loaded.carriers.size() == 1U);
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // Below the middle client's number, every other one is free by now.
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(clients[many / 2].get());
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  const auto unloaded = upcase::unload_carrier(loaded.carriers.front().get());
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(unloaded.lost > 0U);
  BOOST_TEST(unloaded.load.clients.size() > 0U);
  BOOST_TEST(unloaded.lost + unloaded.load.clients.size() == many);
  BOOST_TEST((unloaded.problem.find("LimitNOFILE") != std::string::npos));
  // Who came through is who the record says, holes notwithstanding.
  for (const auto& client : unloaded.load.clients) {
    test::send_all(clients[client.id - 1].get(), "x");
    BOOST_TEST(test::receive(client.socket.get(), 1, 0ns) == "x");
  }
}

BOOST_AUTO_TEST_CASE(with_too_many_under_way_the_rest_is_left) {
  SKIP_UNLESS(test::is_root(),
              "root's descriptors under way are not limited, another user is needed");
  const auto outcome = test::run_as(47'113, 47'113, [] {
    // Somebody of this user's has more under way than the limit by now.
    std::array<int, 2> ends{};
    rlimit limit{.rlim_cur = 100, .rlim_max = 100};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0 ||
        ::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      return 1;
    }
    upcase::cargo others{.served = 0, .refused = 0, .clients = {}};
    for (int i = 0; i < 40; ++i) {
      others.clients.emplace_back().socket.reset(::dup(ends[0]));
    }
    std::vector<upcase::loaded_carriers> under_way;
    for (int i = 0; i < 3; ++i) {
      upcase::cargo copies{.served = 0, .refused = 0, .clients = {}};
      for (const auto& each : others.clients) {
        copies.clients.emplace_back().socket.reset(::dup(each.socket.get()));
      }
      under_way.push_back(upcase::load_carriers(std::move(copies)));
    }
    const auto loaded = upcase::load_carriers(std::move(others));
    return loaded.left.size() == 40 && loaded.carriers.empty() &&
                   ::fcntl(loaded.left.back().socket.get(), F_GETFD) >= 0
               ? 0
               : 2;
  });
  BOOST_TEST(outcome.value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(what_one_carrier_does_not_hold_goes_into_a_second) {
  SKIP_UNLESS(test::is_root(), "another user's descriptors under way are limited");
  const auto outcome = test::run_as(0, 0, [] {
    const auto loaded = upcase::load_carriers(more_than_one_carrier_holds());
    return loaded.carriers.size() == 2 && loaded.left.empty() ? 0 : 1;
  });
  BOOST_TEST(outcome.value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(without_room_for_the_record_of_a_full_carrier_all_are_left) {
  SKIP_UNLESS(test::is_root(), "another user's descriptors under way are limited");
  const auto outcome = test::run_as(0, 0, [] {
    ::alarm(10);
    const rlimit small{.rlim_cur = 1024, .rlim_max = 1024};
    if (std::signal(SIGXFSZ, SIG_IGN) == SIG_ERR || ::setrlimit(RLIMIT_FSIZE, &small) != 0) {
      return 1;
    }
    auto load = more_than_one_carrier_holds();
    const std::size_t clients = load.clients.size();
    // Left to the child's end: each would close the one number that all have.
    const auto& loaded = *new upcase::loaded_carriers(upcase::load_carriers(std::move(load)));
    return loaded.carriers.empty() && loaded.left.size() == clients ? 0 : 2;
  });
  BOOST_TEST(outcome.value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(the_memory_of_a_record_cannot_be_executed) {
  SKIP_UNLESS(::access(memfd_noexec, F_OK) == 0, "this kernel knows no such memory");
  const file_descriptor memory = upcase::make_sealable_memory("record");
  struct stat status {};
  BOOST_REQUIRE(::fstat(memory.get(), &status) == 0);
  BOOST_TEST((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0U);
}

// vm.memfd_noexec is a process namespace's own, so a child has another one.
BOOST_AUTO_TEST_CASE(where_the_administrator_wants_no_executable_memory) {
  SKIP_UNLESS(test::is_root(), "only root makes a process namespace");
  SKIP_UNLESS(::access(memfd_noexec, W_OK) == 0, "this kernel knows no vm.memfd_noexec");
  for (const char level : {'1', '2'}) {
    const auto outcome = test::run_as(0, 0, [level] {
      if (::unshare(CLONE_NEWPID) != 0) {
        return 1;
      }
      const pid_t first = ::fork();
      if (first == 0) {
        ::_exit(set_memfd_noexec(level) ? survives_a_carrier() : 2);
      }
      int status = 0;
      return ::waitpid(first, &status, 0) == first && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
    });
    BOOST_TEST(outcome.value_or(-1) == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_server_goes_on_where_another_stopped) {
  for (const std::size_t threads : {1U, 3U}) {
    running_server old(test::roomy(), threads);
    old->start();
    std::vector<file_descriptor> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(test::make_socket());
      test::connect_to(clients.back().get(), old.path());
      test::send_all(clients.back().get(), "before");
      BOOST_TEST(old.receive(clients.back().get(), 6) == "BEFORE");
    }
    const std::string stuck = old.fill(clients[0].get());
    upcase::cargo load = through_carriers(old.hand_over());
    BOOST_TEST(load.clients.size() == clients.size());
    for (const auto& client : clients) {
      ::send(client.get(), "between", 7, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    running_server fresh(test::roomy(), threads);
    fresh->take_over(std::move(load));
    fresh->start();
    BOOST_TEST((fresh.receive(clients[0].get(), stuck.size()) == test::reference_uppercase(stuck)));
    for (std::size_t i = 1; i < clients.size(); ++i) {
      BOOST_TEST(fresh.receive(clients[i].get(), 7) == "BETWEEN");
    }
    BOOST_TEST(fresh->status().clients == clients.size());
    BOOST_TEST(fresh->status().served == clients.size());
    // A client that finishes gets its end as ever.
    BOOST_REQUIRE(::shutdown(clients[1].get(), SHUT_WR) == 0);
    fresh.run(20ms);
    BOOST_TEST(test::refused(clients[1].get(), 1s));
  }
}

BOOST_AUTO_TEST_CASE(a_server_can_take_its_own_back) {
  running_server server;
  server->start();
  const auto client = test::make_socket();
  test::connect_to(client.get(), server.path());
  test::send_all(client.get(), "one");
  BOOST_TEST(server.receive(client.get(), 3) == "ONE");
  upcase::cargo load = server.hand_over();
  const auto later = test::make_socket();
  test::connect_to(later.get(), server.path());
  test::send_all(client.get(), "two");
  test::send_all(later.get(), "three");
  server.run(50ms);
  BOOST_TEST(test::receive(later.get(), 5, 0ns) == "");
  server->take_over(std::move(load));
  server->start();
  BOOST_TEST(server.receive(client.get(), 3) == "TWO");
  BOOST_TEST(server.receive(later.get(), 5) == "THREE");
  BOOST_TEST(server->status().served == 2U);
  BOOST_TEST(server->status().clients == 2U);
}

BOOST_AUTO_TEST_CASE(a_hand_over_during_a_stop_is_ignored) {
  running_server server;
  server->start();
  const auto client = server.connect();
  const std::string sent = server.fill(client.get());
  bool stopped = false;
  server->stop([&] { stopped = true; });
  bool handed_over = false;
  server->hand_over([&](const upcase::cargo& /*load*/) { handed_over = true; });
  BOOST_TEST((server.receive(client.get(), sent.size()) == test::reference_uppercase(sent)));
  BOOST_TEST(server.run_until([&] { return stopped; }));
  BOOST_TEST(!handed_over);
}

BOOST_AUTO_TEST_CASE(who_was_not_told_of_stays_so) {
  auto [clients, load] = make_cargo(2);
  load.clients[0].told = false;
  running_server server;
  server->take_over(std::move(load));
  server->start();
  // Its clients' charges are the server's.
  const upcase::cargo handed_over = server.hand_over();
  BOOST_REQUIRE(handed_over.clients.size() == 2U);
  for (const auto& client : handed_over.clients) {
    BOOST_TEST(client.told == (client.id == 2));
  }
}

BOOST_AUTO_TEST_CASE(of_several_carriers_the_larger_counts_hold) {
  running_server server;
  server->take_over({.served = 40, .refused = 2, .clients = {}});
  server->take_over({.served = 7, .refused = 3, .clients = {}});
  server->start();
  BOOST_TEST(server->status().served == 40U);
  BOOST_TEST(server->status().refused == 3U);
}

BOOST_AUTO_TEST_CASE(what_is_pending_comes_without_a_word_of_the_client) {
  auto [clients, load] = make_cargo(1);
  load.clients[0].progress.pending.append(std::string_view("PENDING"));
  running_server server;
  server->take_over(std::move(load));
  server->start();
  BOOST_TEST(server.receive(clients[0].get(), 7) == "PENDING");
}

BOOST_AUTO_TEST_CASE(slow_clients_do_not_keep_the_record_that_they_came_with) {
  constexpr std::size_t each = 65'536;
  auto record = std::make_shared<const std::string>(test::random_bytes(each * 60));
  auto [clients, load] = make_cargo(60);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    load.clients[i].progress.pending = {std::span(*record).subspan(i * each, each), record};
    // No room for it: it stays pending.
    const int size = 4096;
    const int socket = load.clients[i].socket.get();
    BOOST_REQUIRE(::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
  }
  running_server server(test::roomy(), 2);
  server->take_over(std::move(load));
  server->start();
  BOOST_TEST(server.run_until([&] { return record.use_count() == 1; }, 5s));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    BOOST_TEST((server.receive(clients[i].get(), each) == record->substr(i * each, each)));
  }
}

BOOST_AUTO_TEST_CASE(rules_are_asked_again) {
  auto [clients, load] = make_cargo(3);
  load.clients[0].progress.pending.append(std::string_view("NO"));
  upcase::settings strict = test::roomy();
  strict.access.deny_users = {::geteuid()};
  running_server denying(strict);
  denying->take_over(std::move(load));
  denying->start();
  BOOST_TEST(denying.run_until([&] { return denying->status().clients == 0; }));
  BOOST_TEST(test::occurrences(denying.log(), "reason=denied") == clients.size());
  for (const auto& client : clients) {
    BOOST_TEST(test::refused(client.get()));
  }

  auto [others, second] = make_cargo(3);
  std::ranges::reverse(second.clients);  // as carriers bring them in any order
  upcase::settings few = test::roomy();
  few.max_clients_per_user = 2;
  running_server limited(few);
  limited->take_over(std::move(second));
  limited->start();
  BOOST_TEST(limited.run_until([&] { return limited->status().clients == 2; }));
  BOOST_TEST(test::refused(others[2].get()));  // the one that came last
}

BOOST_AUTO_TEST_SUITE_END()
