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

bool service_manager::stores_descriptors() const noexcept {
  const auto keeps = [](const char* variable) {
    const std::string_view number = upcase::environment(variable);
    return !number.empty() && number != "0";
  };
  return listens_ && (keeps("FDSTORE") || keeps("UPCASED_FDSTORE"));
}

bool service_manager::store(const char* name,
                            std::span<const upcase::file_descriptor> descriptors) const {
  return std::ranges::all_of(descriptors,
                             [&](const auto& each) { return store(name, each.get()); });
}

bool service_manager::store(const char* name, int descriptor) const {
  // Without FDPOLL=0 it drops what reports an end of file, as a carrier does,
  // whose other end is closed.
  const std::string message = fmt::format("FDSTORE=1\nFDNAME={}\nFDPOLL=0", name);
  return ::sd_pid_notify_with_fds(0, 0, message.c_str(), &descriptor, 1) > 0;
}

void service_manager::forget(const char* name) const {
  say(fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name));
}

bool service_manager::has_heard() const noexcept {
  constexpr std::chrono::microseconds patience = std::chrono::seconds(10);
  return ::sd_notify_barrier(0, static_cast<std::uint64_t>(patience.count())) > 0;
}

void service_manager::say(std::string_view message) const {
  if (listens_) {
    // There is nobody else to tell if this fails.
    ::sd_notify(0, std::string(message).c_str());
  }
}

}  // namespace upcased
