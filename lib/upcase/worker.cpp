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

void worker::take(admitted_client client, std::shared_ptr<const conditions> admitted_on) noexcept {
  ++clients_;
  const std::uint64_t id = client.id;
  try {
    loop_.post([this, moved = std::move(client), on = std::move(admitted_on)]() mutable {
      serve(std::move(moved), on.get());
    });
  } catch (const std::bad_alloc& error) {
    fail_client(id, error.what());
  }
}

void worker::serve(admitted_client client, const conditions* admitted_on) noexcept {
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
  if (fresh->connection().bytes_pending() > 0) {
    carrying_.push_back(*fresh);
    loop_.post(move_pending_out_);
  }
  session& served = *fresh.release();
  served.start(around_.serve);
  const bool is_over = sessions_.empty() || &sessions_.back() != &served;
  // A reload may have come between its admission and now.
  if (const auto now = given(); !is_over && now && now.get() != admitted_on) {
    if (const end_reason why = judge(served, now->rules); why != end_reason::open) {
      served.abort(why);
    }
  }
}

// A record is there while any output lies in it, and may be hundreds of
// megabytes: one slow client must not keep all of it. Copied at once, it would
// keep everybody waiting; so it goes on between other things.
void worker::move_pending_out() noexcept {
  constexpr std::size_t at_once = std::size_t{1} << 20U;
  for (std::size_t moved = 0; !carrying_.empty() && moved < at_once;) {
    session& next = carrying_.front();
    carrying_.pop_front();
    moved += next.move_pending_out();
  }
  if (!carrying_.empty()) {
    loop_.post(move_pending_out_);
  }
}

// The loss of this client alone.
void worker::fail_client(std::uint64_t id, std::string_view why) noexcept {
  drop_client();
  around_.journal.write(
      log_level::error, event::end,
      {{"client", id}, {"reason", to_string(end_reason::failed)}, {"error", why}});
}

void worker::reconsider(std::shared_ptr<const conditions> given) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    given_.swap(given);
  }
  loop_.post(reconsider_);
}

std::shared_ptr<const worker::conditions> worker::given() noexcept {
  const std::scoped_lock lock(mutex_);
  return given_;
}

void worker::reconsider_all() noexcept {
  const auto now = given();
  loop_.set_timeouts(now->timeouts);
  for (auto next = sessions_.end(); next != sessions_.begin();) {
    session& client = *--next;
    const end_reason why = judge(client, now->rules);
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

void worker::drain_all() noexcept {
  draining_ = true;
  for (session& client : sessions_) {
    client.request_stop();
  }
}

void worker::release(std::vector<admitted_client>& into) noexcept {
  released_ = &into;
  loop_.post(release_);
}

void worker::release_all() noexcept {
  sessions_.clear_and_dispose([this](session* given_up) {
    const std::unique_ptr<session> gone(given_up);
    released_->push_back(gone->release());
    drop_client();
  });
  around_.released();
}

void worker::abort_all() noexcept {
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    (next++)->abort(end_reason::aborted);
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
