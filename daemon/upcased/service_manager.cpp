// service_manager: through libsystemd.

#include "service_manager.hpp"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <string>
#include <systemd/sd-daemon.h>
#include <upcase/system_calls.hpp>

namespace upcased {

service_manager::service_manager() noexcept
    : listens_(!upcase::environment("NOTIFY_SOCKET").empty()) {}

std::optional<std::chrono::microseconds> service_manager::longest_silence() noexcept {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) {
    return std::nullopt;
  }
  return std::chrono::microseconds(microseconds);
}

void service_manager::reloading() const {
  // The time lets it tell our answer to this reload from one to an earlier.
  // The clock is CLOCK_MONOTONIC, as it must be.
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  say(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                  std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

void service_manager::extend_timeout(std::chrono::microseconds by) const {
  say(fmt::format("EXTEND_TIMEOUT_USEC={}", by.count()));
}

void service_manager::status(std::string_view line) const {
  // A newline would begin another message, and a status that is not UTF-8 is
  // thrown away as a whole.
  std::string message = "STATUS=";
  std::ranges::transform(line, std::back_inserter(message),
                         [](char c) { return c >= ' ' && c <= '~' ? c : '?'; });
  say(message);
}

void service_manager::say(std::string_view message) const {
  if (listens_) {
    // There is nobody else to tell if this fails.
    ::sd_notify(0, std::string(message).c_str());
  }
}

}  // namespace upcased
