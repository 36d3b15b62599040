// uppercase: what the daemon does to bytes, and nothing else.
//
// ASCII letters only, as toupper(3) in the C locale: a multi-byte text passes
// with its other bytes untouched, so any stream (UTF-8, binary) is safe.

#pragma once

#include <span>

namespace upcase {

/// Uppercases `bytes` in place. Any length, any alignment; reentrant.
void uppercase(std::span<char> bytes) noexcept;

}  // namespace upcase
