// descriptor_closer: a list of numbers, and threads that work it off.

#include <upcase/descriptor_closer.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <sys/resource.h>
#include <unistd.h>
#include <upcase/interruption.hpp>
#include <vector>

namespace upcase {
namespace {

// How many FUSE mounts it takes to hold up the closing of all others.
constexpr std::size_t threads_of_process = 16;

// No more can wait than can be open; beyond that memory is asked for.
std::size_t most_open() noexcept {
  constexpr rlim_t enough = 1U << 20U;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return std::min(limit.rlim_max, enough);
}

}  // namespace

struct descriptor_closer::state {
  std::mutex mutex;
  std::condition_variable done;
  std::vector<int> waiting;
  std::atomic<std::size_t> pending = 0;
  bool held = false;

  bool add(int fd) noexcept {
    try {
      const std::scoped_lock lock(mutex);
      waiting.push_back(fd);
      ++pending;
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  void close_all() noexcept {
    std::unique_lock lock(mutex);
    if (waiting.empty() || held) {
      return;
    }
    const interruption every_few_milliseconds;
    while (!waiting.empty() && !held) {
      const int fd = waiting.back();
      waiting.pop_back();
      lock.unlock();
      close_here(fd);
      lock.lock();
      if (--pending == 0) {
        done.notify_all();
      }
    }
  }
};

descriptor_closer::descriptor_closer(std::size_t threads)
    : threads_(threads),
      state_(std::make_shared<state>()),
      pool_({.threads = threads, .waiting = threads}) {
  state_->waiting.reserve(most_open());
}

void descriptor_closer::close(int fd) noexcept {
  if (!state_->add(fd)) {
    close_here(fd);
    return;
  }
  call_thread();
}

void descriptor_closer::call_thread() noexcept {
  // A job that is refused is not missed: as many wait already, and each closes
  // whatever it finds. Without memory or threads, the next one finds it.
  auto job = [shared = state_] { shared->close_all(); };
  static_cast<void>(pool_.post(job));
}

std::size_t descriptor_closer::pending() const noexcept {
  return state_->pending.load(std::memory_order_relaxed);
}

bool descriptor_closer::finish(std::chrono::milliseconds limit) noexcept {
  std::unique_lock lock(state_->mutex);
  return state_->done.wait_for(lock, limit, [this] { return state_->pending == 0; });
}

void descriptor_closer::hold() noexcept {
  const std::scoped_lock lock(state_->mutex);
  state_->held = true;
}

void descriptor_closer::go_on() noexcept {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->held = false;
  }
  for (std::size_t i = 0; i < std::min(threads_, pending()); ++i) {
    call_thread();
  }
}

descriptor_closer& descriptor_closer::of_process() {
  static auto* const closer = new descriptor_closer(threads_of_process);
  return *closer;
}

void close_aside(int fd) noexcept { descriptor_closer::of_process().close(fd); }

}  // namespace upcase
