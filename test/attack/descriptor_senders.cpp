// descriptor_senders: what they have to hold on to, and how they send.

#include "attack/descriptor_senders.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <upcase/interruption.hpp>
#include <vector>

#include "support/client.hpp"
#include "support/lingering_socket.hpp"

namespace test {
namespace {

// What an attacker holds on to while it lives.
struct arsenal {
  std::vector<upcase::file_descriptor> clients;
  std::vector<lingering_socket> sent;
};

// Sends `count` of them, the last copies but those that are under way.
void send_lingering(arsenal& with, int client, std::size_t count, int flags = 0) {
  std::vector<int> numbers;
  const std::size_t first = with.sent.size();
  for (std::size_t i = 0; i < count; ++i) {
    numbers.push_back(with.sent.emplace_back().socket.get());
  }
  // Where they are refused, or the daemon is first, the attacker's are the last.
  const upcase::interruption own_closing;
  send_descriptors(client, numbers, flags);
  for (std::size_t i = first; i < with.sent.size(); ++i) {
    with.sent[i].socket.reset();
  }
}

void attack(const daemon& to, arsenal& with) {
  for (int i = 0; i < 4; ++i) {
    with.clients.push_back(to.connect());
    with.clients.push_back(connect_unnamed(to));
  }
  for (std::size_t i = 0; i < with.clients.size(); ++i) {
    send_lingering(with, with.clients[i].get(), 3, i % 4 < 2 ? 0 : MSG_OOB);
    ::send(with.clients[i].get(), "more", 4, MSG_NOSIGNAL);
  }
}

}  // namespace

upcase::file_descriptor connect_unnamed(const daemon& to) {
  auto result = make_socket();
  connect_to(result.get(), to.socket());
  return result;
}

attacker::action sends_once(const daemon& to, std::size_t count) {
  return [&to, count](const auto& ready) {
    arsenal with;
    with.clients.push_back(to.connect());
    send_lingering(with, with.clients.back().get(), count);
    ready();
    ::pause();
  };
}

attacker::action sends_and_stays(const daemon& to) {
  return [&to](const auto& ready) {
    arsenal with;
    attack(to, with);
    ready();
    ::pause();
  };
}

attacker::action floods(const daemon& to) {
  return [&to](const auto& ready) {
    arsenal with;
    for (int i = 0; i < 400; ++i) {
      with.clients.push_back(i % 2 == 0 ? to.connect() : connect_unnamed(to));
      send_lingering(with, with.clients.back().get(), 1, i % 4 < 2 ? 0 : MSG_OOB);
      if (i == 0) {
        ready();
      }
    }
    ::pause();
  };
}

}  // namespace test
