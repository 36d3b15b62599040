// log: what happened, one line an event.
//
// Four words, after s6-ipcserver's custom, each followed by key=value fields:
//
//   allow   a client is served           deny    one was refused, and why
//   end     a served client is gone      status  the daemon itself
//
// The log is told, never asked: nothing decides by it.

#pragma once

#include <array>
#include <atomic>
#include <fmt/format.h>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <upcase/log_level.hpp>

namespace upcase {

enum class event { allow, deny, end, status };

std::string_view to_string(event what) noexcept;

/// syslog(3)'s number for it.
int syslog_priority(log_level level) noexcept;

/// One key=value, a view of what it tells. Text is escaped by whoever writes it
/// out. It asks for no memory: that there is none must be told, too.
class log_field {
 public:
  log_field(std::string_view name, std::string_view text) noexcept : key(name), value(text) {}
  template <typename Number>
  requires std::is_arithmetic_v<Number> log_field(std::string_view name, Number number)
  noexcept : key(name), value(written(number)) {}
  log_field(const log_field&) = delete;
  log_field& operator=(const log_field&) = delete;
  ~log_field() = default;

 private:
  template <typename Number>
  std::string_view written(Number number) noexcept {
    return {digits_.data(), fmt::format_to_n(digits_.data(), digits_.size(), "{}", number).size};
  }

  std::array<char, 32> digits_{};  // more than any number has

 public:
  std::string_view key;
  std::string_view value;
};

using log_fields = std::initializer_list<log_field>;

/// Safe to call from several threads.
class log {
 public:
  log() = default;
  log(const log&) = delete;
  log& operator=(const log&) = delete;
  virtual ~log() = default;

  /// Never throws: what goes on must not end for want of a line about it.
  void write(log_level level, event what, log_fields fields) noexcept;

  /// Whether events of this weight are written.
  [[nodiscard]] bool tells(log_level level) const noexcept {
    return level <= threshold_.load(std::memory_order_relaxed);
  }

  /// Events of less weight than this are not written.
  void set_threshold(log_level level) noexcept { threshold_ = level; }

 private:
  // May throw; whoever counts lost lines counts this one.
  virtual void do_write(log_level level, event what, log_fields fields) = 0;

  std::atomic<log_level> threshold_ = log_level::info;
};

/// "allow client=1 uid=1000": an event as every log writes it.
std::string format_event(event what, log_fields fields);

}  // namespace upcase
