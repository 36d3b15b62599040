// options: which load, on whom, for how long.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <sys/types.h>

namespace bench {

enum class mode {
  stream,   ///< clients that stay: ping-pong, pipelined or bulk, by size and depth
  connect,  ///< clients that come, say one message and go
  paced,    ///< clients that send a message once an interval
  idle,     ///< clients that say one message and stay silent
};

struct options {
  mode what = mode::stream;
  std::filesystem::path socket;              ///< of the server
  std::filesystem::path clients;             ///< where clients bind
  pid_t server = 0;                          ///< whose processor time and memory count
  std::size_t count = 1;                     ///< clients at once
  std::size_t size = 64;                     ///< bytes a message
  std::size_t depth = 1;                     ///< messages under way per client
  std::chrono::microseconds interval{1000};  ///< paced: between a client's messages
  std::chrono::milliseconds warm_up{200};
  std::chrono::milliseconds time{1000};  ///< measured
};

/// Also printed by main, with exit code 64.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

options parse(int argc, const char* const* argv);

}  // namespace bench
