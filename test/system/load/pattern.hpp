// pattern: an endless stream of pseudo-random bytes for each client.
//
// A byte follows from the client's number and its position alone, so that
// nobody has to keep what was sent in order to check what comes back: a byte
// that is lost, doubled, moved or given to another client does not match.

#pragma once

#include <cstdint>
#include <span>

namespace load {

/// Fills `bytes` with what client number `client` sends from `position` on.
void fill(std::span<char> bytes, std::uint64_t client, std::uint64_t position) noexcept;

/// How many of `bytes`, received from `position` on, are not what `client` must
/// be answered.
std::uint64_t count_wrong(std::span<const char> bytes, std::uint64_t client,
                          std::uint64_t position) noexcept;

}  // namespace load
