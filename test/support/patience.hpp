// patience: how long a test waits for what must happen, and what it says when
// that does not.

#pragma once

#include <chrono>
#include <functional>
#include <source_location>
#include <string_view>

namespace test {

/// It only ever passes in full when something is broken. Longer than any busy
/// machine needs, and short enough that a red test says so within seconds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::chrono::seconds patience{30};
#else
inline constexpr std::chrono::seconds patience{10};
#endif

/// `patience`, or one second once a wait of this process was in vain: the test is
/// red by then, and most of what follows would be awaited in vain as well.
std::chrono::nanoseconds patience_left() noexcept;

/// If `limit` was all the patience left, spends it, and says on standard error
/// what was awaited, and what there was instead.
void waited_in_vain(std::chrono::nanoseconds limit, std::string_view what,
                    std::string_view instead = "");

/// Polls until `condition` holds; false if it does not within `limit`.
bool holds_within(const std::function<bool()>& condition, std::chrono::nanoseconds limit);

/// The same; a failure is reported as the caller's.
bool eventually(const std::function<bool()>& condition,
                std::chrono::nanoseconds limit = patience_left(),
                const std::source_location& where = std::source_location::current());

}  // namespace test
