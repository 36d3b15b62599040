// connect_load: slots, each with one client after another.

#include <filesystem>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client.hpp"
#include "event_set.hpp"
#include "loads.hpp"

namespace bench {
namespace {

struct slot {
  upcase::file_descriptor socket;
  std::filesystem::path file;
  progress at;
  time_point begun;
};

class visitors {
 public:
  explicit visitors(const options& given)
      : given_(given), buffer_(pattern::longest), slots_(given.count), measured_(given) {}

  result run() {
    for (slot& each : slots_) {
      begin(each);
    }
    while (measured_.goes_on(std::chrono::steady_clock::now(), served_)) {
      for (const epoll_event& event : ready_.wait()) {
        serve(slots_[event.data.u64]);
      }
    }
    for (slot& each : slots_) {
      half_close(each.socket.get());
      finish(each.socket.get(), buffer_, each.at, bytes_);
    }
    return measured_.report();
  }

 private:
  void begin(slot& each) {
    ++begun_;
    each.begun = std::chrono::steady_clock::now();
    each.file = given_.clients / fmt::format("{}", begun_);
    each.socket = connect(given_.socket, each.file);
    each.at = {.entry = pattern::entry(begun_)};
    send(each.socket.get(), 1, given_.size, each.at, bytes_);
    ready_.add(each.socket.get(), EPOLLIN, static_cast<std::size_t>(&each - slots_.data()));
  }

  void serve(slot& each) {
    receive(each.socket.get(), buffer_, each.at, bytes_);
    if (each.at.received < given_.size) {
      return;
    }
    ++served_;
    measured_.round_trips().record(std::chrono::steady_clock::now() - each.begun);
    each.socket.reset();
    // Servers that check credentials have removed it.
    ::unlink(each.file.c_str());
    begin(each);
  }

  const options& given_;
  pattern bytes_;
  std::vector<char> buffer_;
  event_set ready_;
  std::vector<slot> slots_;
  std::size_t begun_ = 0;
  std::uint64_t served_ = 0;
  measurement measured_;
};

}  // namespace

result connect_load(const options& given) { return visitors(given).run(); }

}  // namespace bench
