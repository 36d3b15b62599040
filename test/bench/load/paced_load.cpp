// paced_load: clients that send at a fixed rate, as people and timers do.
//
// The times at which clients send are spread evenly over an interval. A client
// whose answer is late does not send again until it has it.

#include <fmt/format.h>

#include "client.hpp"
#include "event_set.hpp"
#include "loads.hpp"

namespace bench {
namespace {

struct client {
  upcase::file_descriptor socket;
  progress at;
  time_point asked{};
};

class paced_clients {
 public:
  explicit paced_clients(const options& given)
      : given_(given), buffer_(given.size), measured_(given) {
    for (std::size_t i = 0; i < given.count; ++i) {
      clients_.push_back({.socket = connect(given.socket, given.clients / fmt::format("{}", i)),
                          .at = {.entry = pattern::entry(i)}});
      ready_.add(clients_.back().socket.get(), EPOLLIN, i);
    }
  }

  result run() {
    const std::chrono::nanoseconds step = given_.interval / static_cast<long>(clients_.size());
    time_point due = std::chrono::steady_clock::now();
    for (std::size_t next = 0; measured_.goes_on(std::chrono::steady_clock::now(), messages_);) {
      for (; due <= std::chrono::steady_clock::now(); due += step) {
        ask(clients_[next]);
        next = (next + 1) % clients_.size();
      }
      for (const epoll_event& event : ready_.wait_until(due)) {
        take_answer(clients_[event.data.u64]);
      }
    }
    result measured = measured_.report();
    for (client& each : clients_) {
      half_close(each.socket.get());
      finish(each.socket.get(), buffer_, each.at, bytes_);
    }
    return measured;
  }

 private:
  void ask(client& each) {
    if (each.at.received == each.at.sent) {
      each.asked = std::chrono::steady_clock::now();
      send(each.socket.get(), 1, given_.size, each.at, bytes_);
    }
  }

  void take_answer(client& each) {
    receive(each.socket.get(), buffer_, each.at, bytes_);
    if (each.at.received == each.at.sent) {
      ++messages_;
      measured_.round_trips().record(std::chrono::steady_clock::now() - each.asked);
    }
  }

  const options& given_;
  pattern bytes_;
  std::vector<char> buffer_;
  event_set ready_;
  std::vector<client> clients_;
  std::uint64_t messages_ = 0;
  measurement measured_;
};

}  // namespace

result paced_load(const options& given) { return paced_clients(given).run(); }

}  // namespace bench
