// pending_output: the answers that a client has not taken yet.
//
// Mostly nothing. What there is was copied out of the loop's shared buffer, or,
// for a client that came from an earlier process, lies at first in the record
// that it came with: thousands of slow clients are taken over without a copy.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace upcase {

/// Bytes to be written, the first ones first. Copies share the bytes.
class pending_output {
 public:
  pending_output() noexcept = default;

  /// `bytes` stay where they are, which `owner` sees to for as long as it lives;
  /// without any, it is let go at once.
  pending_output(std::span<const char> bytes, std::shared_ptr<const void> owner) noexcept
      : owner_(bytes.empty() ? nullptr : std::move(owner)), bytes_(bytes) {}

  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::span<const char> bytes() const noexcept { return bytes_; }

  /// A copy of `more` behind what there is. Throws std::bad_alloc.
  void append(std::span<const char> more);

  /// Copies the bytes into memory of their own, so that they keep nothing else
  /// there. Throws std::bad_alloc, and then nothing has changed.
  void move_out() { append({}); }

  /// The first `count` are gone. Gives the memory back with the last one: most
  /// clients never need it again.
  void consume(std::size_t count) noexcept;

  void clear() noexcept { *this = {}; }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const char> bytes_;
};

}  // namespace upcase
