// idle_load: memory before and after most of the clients.

#include <fmt/format.h>
#include <poll.h>
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
    for (std::size_t number = sockets_.size(); number < count; ++number) {
      sockets_.push_back(connect(given_.socket, given_.clients / fmt::format("{}", number)));
      const int socket = sockets_.back().get();
      progress at{.entry = pattern::entry(number)};
      send(socket, 1, given_.size, at, bytes_);
      while (at.received < at.sent) {
        pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
        const auto limit = std::chrono::milliseconds(patience).count();
        if (::poll(&ready, 1, static_cast<int>(limit)) != 1) {
          throw std::runtime_error("the server fell silent");
        }
        receive(socket, buffer_, at, bytes_);
      }
    }
    std::this_thread::sleep_for(settling);
  }

 private:
  const options& given_;
  pattern bytes_;
  std::vector<char> buffer_;
  std::vector<upcase::file_descriptor> sockets_;
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
