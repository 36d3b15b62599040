// stream_load: one level-triggered epoll loop over all clients.

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "client.hpp"
#include "event_set.hpp"
#include "loads.hpp"

namespace bench {
namespace {

struct client {
  upcase::file_descriptor socket;
  progress at;
  std::uint64_t owed = 0;  // bytes that may be sent by now, since the start
  time_point asked{};
  std::uint32_t interest = EPOLLIN;
};

class stream_clients {
 public:
  explicit stream_clients(const options& given)
      : given_(given), buffer_(pattern::longest), measured_(given) {
    for (std::size_t i = 0; i < given.count; ++i) {
      add(i);
    }
  }

  result run() {
    greet();
    for (client& each : clients_) {
      each.asked = std::chrono::steady_clock::now();
      each.owed += given_.size * given_.depth;
      send_owed(each);
    }
    while (measured_.goes_on(std::chrono::steady_clock::now(), messages_)) {
      for (const epoll_event& event : ready_.wait()) {
        serve(clients_[event.data.u64], event.events);
      }
    }
    result measured = measured_.report();
    for (const client& each : clients_) {
      half_close(each.socket.get());
    }
    for (client& each : clients_) {
      finish(each.socket.get(), buffer_, each.at, bytes_);
    }
    return measured;
  }

 private:
  void add(std::size_t number) {
    client fresh{.socket = connect(given_.socket, given_.clients / fmt::format("{}", number)),
                 .at = {.entry = pattern::entry(number)}};
    if (given_.size * given_.depth >= pattern::longest) {
      // As far as net.core.wmem_max lets us.
      const int bytes = 1 << 20;
      ::setsockopt(fresh.socket.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    ready_.add(fresh.socket.get(), fresh.interest, number);
    clients_.push_back(std::move(fresh));
  }

  // One message each, and on only when all are answered: accepting is not what
  // this is about, some servers start a process for each, and some accept
  // little while those who are in keep them busy.
  void greet() {
    for (client& each : clients_) {
      each.owed = given_.size;
      send_owed(each);
    }
    std::size_t answered = 0;
    while (answered < clients_.size()) {
      for (const epoll_event& event : ready_.wait()) {
        client& each = clients_[event.data.u64];
        receive_some(each, event.events);
        answered += each.at.received == given_.size ? 1 : 0;
        send_owed(each);
      }
    }
  }

  void serve(client& each, std::uint32_t events) {
    const std::uint64_t before = each.at.received / given_.size;
    receive_some(each, events);
    const std::uint64_t answered = each.at.received / given_.size - before;
    if (answered > 0) {
      messages_ += answered;
      each.owed += answered * given_.size;
      if (given_.depth == 1) {
        const auto now = std::chrono::steady_clock::now();
        measured_.round_trips().record(now - each.asked);
        each.asked = now;
      }
    }
    send_owed(each);
  }

  void receive_some(client& each, std::uint32_t events) {
    if ((events & ~EPOLLOUT) != 0) {
      receive(each.socket.get(), buffer_, each.at, bytes_);
    }
  }

  void send_owed(client& each) {
    const std::uint64_t owed = each.owed - each.at.sent;
    if (owed > 0) {
      const std::uint64_t messages = (owed + given_.size - 1) / given_.size;
      send(each.socket.get(), messages, given_.size, each.at, bytes_);
    }
    const std::uint32_t wanted = each.at.sent < each.owed ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (each.interest != wanted) {
      each.interest = wanted;
      ready_.change(each.socket.get(), wanted, static_cast<std::size_t>(&each - clients_.data()));
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

result stream_load(const options& given) { return stream_clients(given).run(); }

}  // namespace bench
