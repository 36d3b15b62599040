// relay: the client's two streams at once.
//
// Input goes to the daemon and answers go to the output as each is ready; the
// one never waits for the other, so an input of any size passes through with
// 256 KiB of memory in each direction. When the input ends, the sending side is shut down
// (shutdown(2)) and the answers are read to their end.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace upcase {

struct relay_options {
  int socket = -1;  ///< connected; made non-blocking
  /// What to send: a text, else a descriptor to read to its end.
  std::optional<std::string_view> text;
  int input = -1;
  int output = -1;
  /// Give up when no byte moves for so long; 0: never.
  std::chrono::nanoseconds timeout{0};
  /// Told now and then how many bytes have come back.
  std::function<void(std::uint64_t answered)> progress;
};

struct relay_result {
  enum class outcome {
    done,     ///< everything sent has come back
    cut_off,  ///< the daemon closed before everything came back
    surplus,  ///< more came than was sent; nothing beyond that was written
    timed_out,
    input_failed,
    output_failed,
  };
  outcome how = outcome::done;
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  int error = 0;       ///< errno, for the last two
  bool reset = false;  ///< the daemon closed with bytes of ours unread
};

/// Runs until one of the outcomes. A broken output pipe is output_failed with
/// EPIPE: the caller must ignore SIGPIPE.
relay_result relay(const relay_options& options);

}  // namespace upcase
