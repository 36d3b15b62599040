// blocking_pool: a bounded queue under a lock, and a semaphore that counts its jobs:
// two system calls a job, where a condition variable makes three. What its threads
// use is shared with them, since a blocked thread outlives the pool.

#include <upcase/blocking_pool.hpp>

#include <boost/circular_buffer.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <semaphore.h>
#include <system_error>
#include <thread>

namespace upcase {

struct blocking_pool::state {
  explicit state(limits given) : most(given), waiting(given.waiting) { ::sem_init(&jobs, 0, 0); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() { ::sem_destroy(&jobs); }

  const limits most;
  std::mutex mutex;
  sem_t jobs{};                         // counts those that wait; more, once the pool is gone
  std::condition_variable thread_idle;  // for the destructor
  boost::circular_buffer<job> waiting;
  std::size_t threads = 0;
  std::size_t running = 0;
  bool gone = false;
};

blocking_pool::blocking_pool(limits most) : state_(std::make_shared<state>(most)) {}

blocking_pool::~blocking_pool() {
  constexpr std::chrono::seconds grace{1};
  std::unique_lock lock(state_->mutex);
  state_->thread_idle.wait_for(lock, grace,
                               [this] { return state_->waiting.empty() && state_->running == 0; });
  state_->gone = true;
  for (std::size_t i = 0; i < state_->threads; ++i) {
    ::sem_post(&state_->jobs);
  }
}

std::size_t blocking_pool::pending() const noexcept {
  const std::scoped_lock lock(state_->mutex);
  return state_->waiting.size() + state_->running;
}

std::unique_lock<std::mutex> blocking_pool::reserve() noexcept {
  std::unique_lock lock(state_->mutex);
  if (state_->waiting.full()) {
    return {};
  }
  const bool all_busy = state_->running + state_->waiting.size() >= state_->threads;
  if (all_busy && state_->threads < state_->most.threads) {
    try {
      std::thread(run, state_).detach();
      ++state_->threads;
    } catch (const std::exception&) {
      // No memory or no thread; those that are there will do it.
    }
  }
  return state_->threads > 0 ? std::move(lock) : std::unique_lock<std::mutex>();
}

void blocking_pool::submit(std::unique_lock<std::mutex> place, job one) noexcept {
  state_->waiting.push_back(std::move(one));
  place.unlock();  // first, so that who is woken finds it free
  ::sem_post(&state_->jobs);
}

void blocking_pool::run(const std::shared_ptr<state>& shared) noexcept {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  for (;;) {
    while (::sem_wait(&shared->jobs) != 0) {
    }
    std::unique_lock lock(shared->mutex);
    if (shared->waiting.empty()) {  // the pool is gone
      return;
    }
    {
      job next = std::move(shared->waiting.front());
      shared->waiting.pop_front();
      ++shared->running;
      lock.unlock();
      next();
    }
    lock.lock();
    --shared->running;
    shared->thread_idle.notify_all();
  }
}

}  // namespace upcase
