// patience: polling, and a report on standard error.

#include "support/patience.hpp"

#include <atomic>
#include <fmt/format.h>
#include <iostream>
#include <thread>

namespace test {
namespace {

std::atomic<bool> spent = false;

}  // namespace

std::chrono::nanoseconds patience_left() noexcept {
  return spent ? std::chrono::seconds(1) : patience;
}

void waited_in_vain(std::chrono::nanoseconds limit, std::string_view what,
                    std::string_view instead) {
  if (limit < patience_left()) {
    return;  // the test may have hoped for that
  }
  spent = true;
  std::cerr << fmt::format("not within {} s: {}\n{}", std::chrono::duration<double>(limit).count(),
                           what, instead)
            << std::flush;
}

bool holds_within(const std::function<bool()>& condition, std::chrono::nanoseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) {
      return condition();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

bool eventually(const std::function<bool()>& condition, std::chrono::nanoseconds limit,
                const std::source_location& where) {
  if (holds_within(condition, limit)) {
    return true;
  }
  waited_in_vain(limit, fmt::format("what {}:{} waits for", where.file_name(), where.line()));
  return false;
}

}  // namespace test
