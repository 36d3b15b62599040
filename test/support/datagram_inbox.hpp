// datagram_inbox: what a program sends to a datagram socket: the other end of
// NOTIFY_SOCKET, and of the journal.

#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <upcase/file_descriptor.hpp>

#include "support/process.hpp"

namespace test {

class datagram_inbox {
 public:
  /// Binds `path`. Throws.
  explicit datagram_inbox(const std::filesystem::path& path);

  /// The next datagram; nothing if none comes within `limit`.
  std::optional<std::string> next(std::chrono::nanoseconds limit = patience_left());

 private:
  upcase::file_descriptor socket_;
};

}  // namespace test
