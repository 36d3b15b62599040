// busy_poll: poll until nothing came for long enough, then sleep for one event.

#include <upcase/busy_poll.hpp>

#include <chrono>

namespace upcase {

void run_loop(boost::asio::io_context& context, duration spin) {
  using clock = std::chrono::steady_clock;
  if (spin == duration::zero()) {
    context.run();
    return;
  }
  while (!context.stopped()) {
    auto quiet_since = clock::now();
    for (auto now = quiet_since; now - quiet_since < spin && !context.stopped();) {
      const bool worked = context.poll() != 0;
      now = clock::now();
      quiet_since = worked ? now : quiet_since;
    }
    context.run_one();
  }
}

}  // namespace upcase
