// standard_streams: what every program does about the three descriptors that
// its caller gives it, or does not.

#pragma once

#include <string_view>

namespace upcase {

/// For the beginning of main: a standard stream that is closed stays unusable,
/// but its number is taken, so that nothing else is opened there. A connection
/// that was would be read and written as if it were the stream. False if
/// /dev/null cannot be opened.
bool occupy_standard_streams() noexcept;

/// A line on standard error, of which a terminal obeys nothing (escape.hpp). That it cannot be
/// written is no failure: nobody could be told.
void complain(std::string_view line) noexcept;

/// Whether all that was printed on standard output has arrived.
bool flush_output() noexcept;

}  // namespace upcase
