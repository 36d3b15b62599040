// worker: the list of sessions and what happens to all of them at once.

#include <upcase/worker.hpp>

#include <chrono>
#include <fmt/format.h>
#include <iterator>
#include <memory>
#include <utility>

namespace upcase {
namespace {

std::string seconds_between(steady_time begin, steady_time end) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(end - begin).count());
}

}  // namespace

worker::worker(boost::asio::io_context& context, surroundings around, stream_timeouts timeouts)
    : context_(context), around_(std::move(around)), loop_(context, timeouts) {}

worker::~worker() { sessions_.clear_and_dispose(std::default_delete<session>()); }

void worker::serve(admitted_client client) {
  loop_.update_now();
  const std::uint64_t id = client.id;
  std::unique_ptr<session> fresh;
  try {
    fresh = std::make_unique<session>(loop_, *this, std::move(client));
  } catch (const std::exception& error) {
    // No memory, or no room in the epoll set: this client's loss alone.
    drop_expected();
    around_.journal.write(log_level::error, event::end,
                          {{"client", id}, {"reason", "failed"}, {"error", error.what()}});
    return;
  }
  sessions_.push_back(*fresh);
  fresh.release()->start(around_.serve);
}

void worker::reconsider(const access_rules& rules, stream_timeouts timeouts) {
  loop_.update_now();
  loop_.set_timeouts(timeouts);
  for (auto next = sessions_.end(); next != sessions_.begin();) {
    session& client = *--next;
    const int fd = client.connection().fd();
    const bool admitted = rules.admits(client.who(), [fd] { return groups_of(fd); });
    if (admitted && !around_.users.exceeds(client.who().uid)) {
      client.restart_deadline();
      continue;
    }
    ++next;  // the one after `client`, which is about to go
    client.abort(admitted ? end_reason::over_quota : end_reason::denied);
  }
}

void worker::drain() noexcept {
  for (session& client : sessions_) {
    client.request_stop();
  }
}

std::vector<admitted_client> worker::release() {
  std::vector<admitted_client> released;
  released.reserve(clients_);
  sessions_.clear_and_dispose([&](session* given_up) {
    const std::unique_ptr<session> gone(given_up);
    released.push_back(gone->release());
    drop_expected();
  });
  return released;
}

void worker::abort(end_reason why) {
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    (next++)->abort(why);
  }
}

void worker::session_over(session& over) {
  const std::unique_ptr<session> gone(&over);
  sessions_.erase(sessions_.iterator_to(over));
  const stream& connection = over.connection();
  around_.journal.write(log_level::info, event::end,
                        {{"client", over.id()},
                         {"uid", over.who().uid},
                         {"pid", over.who().pid},
                         {"reason", to_string(over.reason())},
                         {"in", connection.bytes_in()},
                         {"out", connection.bytes_out()},
                         {"seconds", seconds_between(over.since(), loop_.now())}});
  drop_expected();
}

void worker::drop_expected() noexcept {
  --clients_;
  around_.client_gone();
}

}  // namespace upcase
