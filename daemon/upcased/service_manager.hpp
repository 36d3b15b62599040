// service_manager: what the daemon tells whoever started it (sd_notify(3)).
//
// systemd shows the status, waits for readiness, and restarts a daemon that
// falls silent. Where nobody listens (no NOTIFY_SOCKET: a terminal, another
// init), nothing is said, and nobody need ask before speaking.

#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>
#include <upcase/file_descriptor.hpp>

namespace upcased {

class service_manager {
 public:
  service_manager() noexcept;

  /// Whether it is worth preparing something to say.
  [[nodiscard]] bool listens() const noexcept { return listens_; }

  /// The longest silence between two `alive` before it kills and restarts us;
  /// nothing: it does not mind.
  [[nodiscard]] static std::optional<std::chrono::microseconds> longest_silence() noexcept;

  /// We serve: after the start, and after each reload, whatever came of it.
  void ready() const { say("READY=1"); }
  void reloading() const;
  void stopping() const { say("STOPPING=1"); }
  void alive() const { say("WATCHDOG=1"); }

  /// The stop (or start) takes so much longer, counted from now.
  void extend_timeout(std::chrono::microseconds by) const;

  /// Whether it keeps descriptors for our successor: $FDSTORE (systemd 254), or
  /// $UPCASED_FDSTORE from the unit, since older ones keep them and don't say so.
  [[nodiscard]] bool stores_descriptors() const noexcept;

  /// Asks it to keep these under one name, whatever they poll as. False if that
  /// could not even be said.
  [[nodiscard]] bool store(const char* name,
                           std::span<const upcase::file_descriptor> descriptors) const;
  [[nodiscard]] bool store(const char* name, int descriptor) const;

  /// It need not keep those any longer.
  void forget(const char* name) const;

  /// Waits, a few seconds at most, until it has dealt with all that was said.
  [[nodiscard]] bool has_heard() const noexcept;

  /// One line for people. Whatever is not printable ASCII becomes '?'.
  void status(std::string_view line) const;

 private:
  void say(std::string_view message) const;

  bool listens_ = false;
};

}  // namespace upcased
