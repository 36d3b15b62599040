// worker: the list of sessions and what happens to all of them at once.

#include <upcase/worker.hpp>

#include <chrono>
#include <fmt/format.h>
#include <iterator>
#include <memory>
#include <new>
#include <utility>

namespace upcase {
namespace {

std::string seconds_between(steady_time begin, steady_time end) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(end - begin).count());
}

}  // namespace

worker::worker(surroundings around, stream_timeouts timeouts)
    : around_(std::move(around)), loop_(timeouts, &around_.spare_descriptors) {}

worker::~worker() { sessions_.clear_and_dispose(std::default_delete<session>()); }

void worker::take(admitted_client client) noexcept {
  ++clients_;
  const std::uint64_t id = client.id;
  try {
    loop_.post([this, moved = std::move(client)]() mutable { serve(std::move(moved)); });
  } catch (const std::bad_alloc& error) {
    fail_client(id, error.what());
  }
}

void worker::serve(admitted_client client) noexcept {
  const std::uint64_t id = client.id;
  std::unique_ptr<session> fresh;
  try {
    fresh = std::make_unique<session>(loop_, *this, std::move(client));
  } catch (const std::exception& error) {
    // No memory, or no room in the epoll set.
    fail_client(id, error.what());
    return;
  }
  sessions_.push_back(*fresh);
  if (draining_) {
    fresh->request_stop();
  }
  fresh.release()->start(around_.serve);
}

// The loss of this client alone.
void worker::fail_client(std::uint64_t id, std::string_view why) noexcept {
  drop_client();
  around_.journal.write(
      log_level::error, event::end,
      {{"client", id}, {"reason", to_string(end_reason::failed)}, {"error", why}});
}

void worker::reconsider(const access_rules& rules, stream_timeouts timeouts) noexcept {
  loop_.set_timeouts(timeouts);
  for (auto next = sessions_.end(); next != sessions_.begin();) {
    session& client = *--next;
    const end_reason why = judge(client, rules);
    if (why != end_reason::open) {
      ++next;  // the one after `client`, which is about to go
      client.abort(why);
    }
  }
}

// Why a client that is in must go; `open` if it may stay.
end_reason worker::judge(session& client, const access_rules& rules) noexcept {
  try {
    const int fd = client.connection().fd();
    if (!rules.admits(client.who(), [fd] { return groups_of(fd); })) {
      return end_reason::denied;
    }
    if (client.give_up_excess()) {
      return end_reason::over_quota;
    }
    client.restart_deadline();
    return end_reason::open;
  } catch (const std::bad_alloc&) {
    // Nobody stays in whom there was no memory to judge.
    return end_reason::failed;
  }
}

void worker::drain() noexcept {
  draining_ = true;
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
    drop_client();
  });
  return released;
}

void worker::abort(end_reason why) {
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    (next++)->abort(why);
  }
}

void worker::session_over(session& over) noexcept {
  std::unique_ptr<session> gone(&over);
  sessions_.erase(sessions_.iterator_to(over));
  if (over.told()) {
    tell_end(over);
  }
  // Before it is said to be gone: who waits for its descriptor tries at once.
  gone.reset();
  drop_client();
}

void worker::tell_end(const session& over) const noexcept {
  const stream& connection = over.connection();
  around_.journal.write(log_level::info, event::end,
                        {{"client", over.id()},
                         {"uid", over.who().uid},
                         {"pid", over.who().pid},
                         {"reason", to_string(over.reason())},
                         {"in", connection.bytes_in()},
                         {"out", connection.bytes_out()},
                         {"seconds", seconds_between(over.since(), loop_.now())}});
}

void worker::drop_client() noexcept {
  --clients_;
  around_.client_gone();
}

}  // namespace upcase
