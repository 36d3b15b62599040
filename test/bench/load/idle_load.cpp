// idle_load: memory before and after most of the clients.

#include <fmt/format.h>
#include <poll.h>
#include <span>
#include <stdexcept>
#include <thread>

#include "client.hpp"
#include "loads.hpp"

namespace bench {
namespace {

// For garbage collectors and lazy frees to come to rest.
constexpr std::chrono::milliseconds settling{300};

class idlers {
 public:
  explicit idlers(const options& given) : given_(given), buffer_(given.size) {}

  // Adds clients until there are `count`; each has one message answered.
  void grow_to(std::size_t count) {
    const std::size_t first = clients_.size();
    for (std::size_t number = first; number < count; ++number) {
      client fresh{.socket = connect(given_.socket, given_.clients / fmt::format("{}", number)),
                   .at = {.entry = pattern::entry(number)}};
      send(fresh.socket.get(), 1, given_.size, fresh.at, bytes_);
      clients_.push_back(std::move(fresh));
    }
    for (client& each : std::span(clients_).subspan(first)) {
      await_answer(each);
    }
    std::this_thread::sleep_for(settling);
  }

 private:
  struct client {
    upcase::file_descriptor socket;
    progress at;
  };

  void await_answer(client& each) {
    while (each.at.received < each.at.sent) {
      pollfd ready{.fd = each.socket.get(), .events = POLLIN, .revents = 0};
      const auto limit = std::chrono::milliseconds(patience).count();
      if (::poll(&ready, 1, static_cast<int>(limit)) != 1) {
        throw std::runtime_error("the server fell silent");
      }
      receive(each.socket.get(), buffer_, each.at, bytes_);
    }
  }

  const options& given_;
  pattern bytes_;
  std::vector<char> buffer_;
  std::vector<client> clients_;
};

double growth(std::uint64_t from, std::uint64_t to, std::size_t clients) {
  return (static_cast<double>(to) - static_cast<double>(from)) / static_cast<double>(clients);
}

}  // namespace

result idle_load(const options& given) {
  const process_tree server(given.server);
  idlers clients(given);
  const std::size_t first = given.count / 10;
  clients.grow_to(first);
  const memory_use before = server.memory();
  clients.grow_to(given.count);
  const memory_use after = server.memory();
  const std::size_t added = given.count - first;
  return {
      {"clients", static_cast<double>(given.count)},
      {"resident_bytes", growth(before.resident, after.resident, added)},
      {"anonymous_bytes", growth(before.anonymous, after.anonymous, added)},
  };
}

}  // namespace bench
