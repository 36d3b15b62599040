// session: passes events to the stream, and sees when the coroutine is done.

#include <upcase/session.hpp>

#include <new>
#include <utility>

namespace upcase {

session::session(event_loop& loop, session_owner& owner, admitted_client client)
    : owner_(owner),
      id_(client.id),
      who_(client.who),
      since_(client.since),
      told_(client.told),
      stream_(loop, std::move(client.socket), client.guarded, std::move(client.progress), *this,
              *this),
      charge_(std::move(client.charge)) {}

void session::start(const handler& serve) {
  try {
    task_ = serve(stream_, who_);
  } catch (...) {
    // Before it was a coroutine: it has failed like one that throws later, and
    // without a task that is what `reason` says.
  }
  if (task_) {
    task_.start();
  }
  finish_if_done();
}

void session::abort(end_reason why) {
  stream_.abort(why);
  finish_if_done();
}

admitted_client session::release() {
  stream::parts connection = stream_.release();
  return {.id = id_,
          .who = who_,
          .since = since_,
          .socket = std::move(connection.socket),
          .progress = std::move(connection.state),
          .charge = std::move(charge_),
          .told = told_};
}

std::size_t session::move_pending_out() noexcept {
  try {
    stream_.move_pending_out();
    return stream_.bytes_pending();
  } catch (const std::bad_alloc&) {
    return 0;  // it stays where it is, then
  }
}

end_reason session::reason() const noexcept {
  if (!task_ || task_.failure()) {
    return end_reason::failed;
  }
  const end_reason ended = stream_.ended();
  return ended == end_reason::open ? end_reason::closed : ended;
}

void session::ready(std::uint32_t /*events*/) {
  // Which events they are does not matter: recv and send tell it better.
  stream_.progress();
  finish_if_done();
}

void session::expired(steady_time /*now*/) {
  stream_.time_out();
  finish_if_done();
}

void session::finish_if_done() {
  if (!task_ || task_.done()) {
    owner_.session_over(*this);
  }
}

}  // namespace upcase
