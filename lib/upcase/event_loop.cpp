// event_loop: sleep, serve, look at the clock.

#include <upcase/event_loop.hpp>

#include <upcase/client_descriptor.hpp>

namespace upcase {

event_loop::event_loop(stream_timeouts timeouts,
                       const std::atomic<std::ptrdiff_t>* spare_descriptors)
    : timeouts_(timeouts),
      spare_descriptors_(spare_descriptors),
      buffer_(std::make_unique<shared_buffer>()),
      alarm_(ready_),
      posted_(ready_) {}

void event_loop::run(std::optional<duration> busy_poll) {
  for (;;) {
    if (!busy_poll) {
      spin_while_it_pays();
    } else if (*busy_poll != duration::zero()) {
      spin_for(*busy_poll);
    }
    // Checked right before the sleep: a spin may have consumed the event of a stop.
    if (stopped_) {
      return;
    }
    turn(readiness::patience::endless);
  }
}

void event_loop::stop() noexcept {
  stopped_ = true;
  posted_.ring();
}

bool event_loop::turn(readiness::patience how) {
  const std::span<const epoll_event> batch = ready_.wait(how);
  now_ = std::chrono::steady_clock::now();
  for (const epoll_event& event : batch) {
    readiness::tell(event);
  }
  if (alarm_.came()) {
    deadlines_.expire(now_);
    wait_for_deadline();
  }
  posted_.empty();
  return !batch.empty();
}

// Until there was no work for so long.
void event_loop::spin_for(duration time) {
  using clock = std::chrono::steady_clock;
  for (steady_time end = clock::now() + time; now_ < end && !stopped_;) {
    if (turn(readiness::patience::none)) {
      end = clock::now() + time;
    }
  }
}

// Until a spin found nothing, or the budget is empty.
void event_loop::spin_while_it_pays() {
  while (!stopped_ && spins_.allows(now_)) {
    if (turn(readiness::patience::none)) {
      continue;  // was there already
    }
    const steady_time begin = now_;
    steady_time last_look;
    bool found = false;
    do {
      last_look = now_;
      found = turn(readiness::patience::none);
    } while (!found && now_ - last_look < spin_budget::preempted &&
             now_ - begin < spin_budget::longest_spin);
    if (found && now_ - last_look < spin_budget::preempted) {
      spins_.succeeded(now_ - begin);
    } else {
      spins_.failed(now_ - begin);
    }
    if (!found) {
      return;
    }
  }
}

bool event_loop::has_room_for_descriptors() const noexcept {
  const std::size_t needed =
      most_descriptors + most_unserved_connections + descriptor_closer::of_process().pending();
  return spare_descriptors_ != nullptr &&
         spare_descriptors_->load(std::memory_order_relaxed) >= static_cast<std::ptrdiff_t>(needed);
}

void event_loop::set_deadline(deadline& d, duration after) {
  if (after == duration::zero()) {
    deadline_queue::clear(d);
  } else if (deadlines_.set(d, now_ + after)) {
    wait_for_deadline();
  }
}

void event_loop::wait_for_deadline() {
  if (const auto next = deadlines_.next()) {
    alarm_.set(*next);
  }
}

}  // namespace upcase
