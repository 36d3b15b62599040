// measurement: two readings and their difference.

#include "measurement.hpp"

#include <ctime>
#include <stdexcept>

namespace bench {
namespace {

std::chrono::nanoseconds own_processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

measurement::measurement(const options& given)
    : server_(given.server), time_(given.time), warm_up_(given.warm_up) {}

bool measurement::goes_on(time_point now, std::uint64_t events) {
  if (!warm_) {
    warm_ = now + warm_up_;
  }
  if (!counting_) {
    if (now >= *warm_) {
      counting_ = true;
      first_ = read(events);
      round_trips_.clear();
    }
    return true;
  }
  if (now < first_.when + time_) {
    return true;
  }
  last_ = read(events);
  return false;
}

measurement::reading measurement::read(std::uint64_t events) const {
  // Braces evaluate in order.
  return {.events = events,
          .server = server_.processor_time(),
          .client = own_processor_time(),
          .when = std::chrono::steady_clock::now()};
}

result measurement::report() const {
  if (last_.events == first_.events) {
    throw std::runtime_error("the server answered nothing while it was measured");
  }
  const auto events = static_cast<double>(last_.events - first_.events);
  const std::chrono::duration<double> seconds = last_.when - first_.when;
  const std::chrono::duration<double, std::nano> server = last_.server - first_.server;
  const std::chrono::duration<double> client = last_.client - first_.client;
  return {
      {"events", events},
      {"rate", events / seconds.count()},
      {"server_ns", server.count() / events},
      {"server_busy", server.count() / 1e9 / seconds.count()},
      {"client_busy", client.count() / seconds.count()},
      {"p50_us", round_trips_.percentile(0.5) / 1e3},
      {"p99_us", round_trips_.percentile(0.99) / 1e3},
      {"p999_us", round_trips_.percentile(0.999) / 1e3},
  };
}

}  // namespace bench
