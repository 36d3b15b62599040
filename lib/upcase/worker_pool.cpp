// worker_pool: placement, and what goes to all workers.

#include <upcase/worker_pool.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <sys/resource.h>
#include <upcase/client_descriptor.hpp>
#include <upcase/descriptor_closer.hpp>
#include <utility>

namespace upcase {
namespace {

std::shared_ptr<const worker::conditions> conditions_of(const settings& config) {
  return std::make_shared<const worker::conditions>(
      worker::conditions{.rules = config.access,
                         .timeouts = {.idle = config.idle_timeout, .write = config.write_timeout}});
}

// How many more the process can open, clients aside, while each loop but the one
// that asks receives as many as a message can bring.
std::ptrdiff_t spare_descriptors(const settings& config) noexcept {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t plenty = 1U << 30U;
  return static_cast<std::ptrdiff_t>(std::min(limit.rlim_cur, plenty)) -
         static_cast<std::ptrdiff_t>(reserved_descriptors(config) +
                                     (config.threads - 1) * most_descriptors);
}

}  // namespace

worker_pool::worker_pool(surroundings around, const settings& config)
    : around_(std::move(around)),
      conditions_(conditions_of(config)),
      spare_descriptors_(spare_descriptors(config)) {
  descriptor_closer::of_process();  // while there is somebody to tell that there is no memory
  const worker::surroundings of_worker{.serve = around_.serve,
                                       .journal = around_.journal,
                                       .spare_descriptors = spare_descriptors_,
                                       .client_gone =
                                           [this] {
                                             ++spare_descriptors_;
                                             around_.client_gone();
                                           },
                                       .released = [this] { count_down(releasing_); },
                                       .answered = [this] { count_down(answering_); }};
  workers_.reserve(config.threads);
  threads_.reserve(config.threads);
  try {
    while (workers_.size() < config.threads) {
      add_worker(of_worker, config.busy_poll);
    }
  } catch (const std::exception& missing) {
    if (workers_.empty()) {
      throw;
    }
    around_.journal.write(
        log_level::error, event::status,
        {{"threads", workers_.size()}, {"wanted", config.threads}, {"reason", missing.what()}});
  }
}

// One that gets no thread must not get clients either.
void worker_pool::add_worker(const worker::surroundings& around,
                             std::optional<duration> busy_poll) {
  auto next = std::make_unique<worker>(around, conditions_->timeouts);
  threads_.emplace_back([this, &loop = *next, busy_poll] {
    started_.wait(false);
    loop.run(busy_poll);
  });
  workers_.push_back(std::move(next));
}

worker_pool::~worker_pool() {
  for (const auto& each : workers_) {
    each->stop();
  }
  start();
  threads_.clear();
}

void worker_pool::start() noexcept {
  started_ = true;
  started_.notify_all();
}

void worker_pool::take(admitted_client client) noexcept {
  worker& least = **std::ranges::min_element(
      workers_, {}, [](const auto& candidate) { return candidate->clients(); });
  --spare_descriptors_;
  least.take(std::move(client), conditions_);
}

void worker_pool::set_conditions(const settings& config) { conditions_ = conditions_of(config); }

void worker_pool::reconsider() noexcept {
  for (const auto& each : workers_) {
    each->reconsider(conditions_);
  }
}

void worker_pool::drain() noexcept {
  for (const auto& each : workers_) {
    each->drain();
  }
}

void worker_pool::abort() noexcept {
  for (const auto& each : workers_) {
    each->abort();
  }
}

void worker_pool::prepare_release(std::size_t more) {
  std::vector<std::vector<admitted_client>> parts(workers_.size());
  std::vector<admitted_client> all;
  std::size_t most = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].reserve(workers_[i]->clients() + more);
    most += parts[i].capacity();
  }
  all.reserve(most);
  parts_ = std::move(parts);
  released_ = std::move(all);
  releasing_ = 1;  // until `release`
}

void worker_pool::release() noexcept {
  releasing_ = workers_.size();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    workers_[i]->release(parts_[i]);
  }
}

std::vector<admitted_client> worker_pool::take_released() noexcept {
  for (auto& part : parts_) {
    std::ranges::move(part, std::back_inserter(released_));
  }
  parts_.clear();
  return std::exchange(released_, {});
}

void worker_pool::ping() noexcept {
  answering_ = workers_.size();
  for (const auto& each : workers_) {
    each->ping();
  }
}

// A few always wait for a moment; they are counted among the reserved.
bool worker_pool::crowded() const noexcept {
  constexpr std::ptrdiff_t few = 8;
  const auto closing = static_cast<std::ptrdiff_t>(descriptor_closer::of_process().pending());
  return closing > few && closing > spare_descriptors_;
}

void worker_pool::count_down(std::atomic<std::size_t>& missing) noexcept {
  if (--missing == 0) {
    around_.news.ring();
  }
}

}  // namespace upcase
