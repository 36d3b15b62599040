// restart-load: thousands of clients that must not notice a restart.
//
//   restart-load SOCKET CLIENT_DIRECTORY CLIENTS
//
// Each client has a turn once a second, spread evenly over it: nine in ten send
// a message of 64 to 512 bytes and read answers as they come. One in ten sends
// until its pipe is full, the daemon's memory for it included, and then reads a
// little at each turn: the client with bytes at every place at once. So slow
// that the daemon idles: a pause is the restart's, not the load's, and late_ms,
// how long this program itself was kept from its work, is the measure's error.
//
// Says "ready" once all are connected and the pipes are full; at SIGUSR1 the
// figures since the last time; at SIGTERM it waits for what is still due, and
// says the total. Exit code 1 when a connection closed or a byte went astray.

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <utility>
#include <vector>

#include "client.hpp"
#include "support/client.hpp"

namespace {

using namespace std::chrono_literals;
using load::clock;

constexpr std::size_t one_full_in = 10;
constexpr std::size_t sip = 16384;  // what a full client reads in a turn
constexpr std::uint64_t signals_key = ~std::uint64_t{0};
constexpr auto patience = 20s;  // for the last answers

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void make_room_for(std::size_t descriptors) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = descriptors;
  limit.rlim_max = std::max(limit.rlim_max, limit.rlim_cur);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    fail("RLIMIT_NOFILE");
  }
}

class crowd {
 public:
  crowd(const std::string& socket, const std::string& directory, std::size_t size);

  int run();

 private:
  void watch(int fd, std::uint64_t key, std::uint32_t events, int operation);
  void take_turns();
  void take_turn(std::size_t index);
  void poll();
  void obey();
  bool settle();
  void print(std::string_view title);

  [[nodiscard]] static bool is_full(std::size_t index) { return index % one_full_in == 0; }

  template <typename Get>
  [[nodiscard]] std::uint64_t sum(Get get) const {
    std::uint64_t total = 0;
    for (const load::client& client : clients_) {
      total += (client.*get)();
    }
    return total;
  }

  upcase::file_descriptor epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  upcase::file_descriptor signals_;
  std::vector<load::client> clients_;
  std::uint64_t turns_ = 0;    // taken, by all clients together
  std::uint64_t took_at_ = 0;  // the turn at which a pipe to be filled last took a byte
  bool ready_ = false;
  clock::time_point start_;
  clock::time_point lap_start_;
  clock::time_point looked_;  // for turns that are due
  clock::duration late_{};    // the longest time between two looks
  bool stopping_ = false;
};

crowd::crowd(const std::string& socket, const std::string& directory, std::size_t size) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) {
    ::sigaddset(&set, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = upcase::file_descriptor(::signalfd(-1, &set, SFD_CLOEXEC));
  watch(signals_.get(), signals_key, EPOLLIN, EPOLL_CTL_ADD);

  clients_.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    auto connected = test::connect_client(socket, directory);
    if (::fcntl(connected.get(), F_SETFL, O_NONBLOCK) != 0) {
      fail("O_NONBLOCK");
    }
    clients_.emplace_back(i, std::move(connected));
    const std::uint32_t answers = is_full(i) ? 0U : EPOLLIN;
    watch(clients_[i].fd(), i, answers | EPOLLRDHUP, EPOLL_CTL_ADD);
  }
}

void crowd::watch(int fd, std::uint64_t key, std::uint32_t events, int operation) {
  epoll_event event{.events = events, .data = {.u64 = key}};
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0) {
    fail("epoll_ctl");
  }
}

int crowd::run() {
  start_ = lap_start_ = looked_ = clock::now();
  while (!stopping_) {
    take_turns();
    poll();
    if (!ready_ && turns_ > took_at_ + clients_.size()) {
      ready_ = true;
      print("ready");
    }
  }
  const bool all_answered = settle();
  print("total");
  const bool closed = std::ranges::any_of(clients_, &load::client::closed);
  return all_answered && !closed && sum(&load::client::wrong) == 0 ? 0 : 1;
}

// Evenly spread: turn number n falls at n / clients seconds.
void crowd::take_turns() {
  const auto now = clock::now();
  late_ = std::max(late_, now - std::exchange(looked_, now));
  const auto elapsed = std::chrono::duration<double>(now - start_).count();
  const auto due = static_cast<std::uint64_t>(elapsed * static_cast<double>(clients_.size()));
  for (; turns_ < due; ++turns_) {
    take_turn(turns_ % clients_.size());
  }
}

void crowd::take_turn(std::size_t index) {
  load::client& client = clients_[index];
  if (!is_full(index)) {
    constexpr std::size_t least = 64;
    constexpr std::size_t span = 449;
    client.send(least + turns_ * 31 % span);
    return;
  }
  if (ready_) {
    client.receive(sip);
  }
  while (client.send(sip) != 0) {
    took_at_ = turns_;
  }
}

void crowd::poll() {
  std::array<epoll_event, 512> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 1);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    if (event.data.u64 == signals_key) {
      obey();
      continue;
    }
    load::client& client = clients_[event.data.u64];
    if ((event.events & EPOLLIN) != 0) {
      while (client.receive(sip) == sip) {
      }
    } else {
      client.hang_up();
    }
  }
}

void crowd::obey() {
  signalfd_siginfo signal{};
  if (::read(signals_.get(), &signal, sizeof signal) != sizeof signal) {
    return;
  }
  if (signal.ssi_signo == SIGUSR1) {
    print("lap");
  } else {
    stopping_ = true;
  }
}

// Everybody reads until all is answered, and a moment longer: a doubled byte
// comes after the last one.
bool crowd::settle() {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (!clients_[i].closed()) {
      watch(clients_[i].fd(), i, EPOLLIN | EPOLLRDHUP, EPOLL_CTL_MOD);
    }
  }
  const auto deadline = clock::now() + patience;
  while (sum(&load::client::due) != 0 && clock::now() < deadline) {
    poll();
  }
  const auto last = clock::now() + 200ms;
  while (clock::now() < last) {
    poll();
  }
  return sum(&load::client::due) == 0;
}

void crowd::print(std::string_view title) {
  clock::duration pause{};
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (!is_full(i)) {
      pause = std::max(pause, clients_[i].pause());
    }
    clients_[i].forget_pauses();
  }
  using seconds = std::chrono::duration<double>;
  using milliseconds = std::chrono::duration<double, std::milli>;
  const auto now = clock::now();
  fmt::print(
      "{} clients={} seconds={:.1f} pause_ms={:.1f} late_ms={:.1f} closed={} wrong={} sent={} "
      "received={} "
      "due={}\n",
      title, clients_.size(), seconds(now - lap_start_).count(), milliseconds(pause).count(),
      milliseconds(std::exchange(late_, {})).count(),
      std::ranges::count_if(clients_, &load::client::closed), sum(&load::client::wrong),
      sum(&load::client::sent), sum(&load::client::received), sum(&load::client::due));
  std::fflush(stdout);
  lap_start_ = now;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) {
      fmt::print(stderr, "usage: restart-load SOCKET CLIENT_DIRECTORY CLIENTS\n");
      return 64;
    }
    const std::size_t clients = std::stoul(argv[3]);
    constexpr std::size_t spare = 32;
    make_room_for(clients + spare);
    return crowd(argv[1], argv[2], clients).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "restart-load: {}\n", error.what());
    return 71;
  }
}
