// notify_socket: the service manager's end of sd_notify(3), and its
// descriptor store.

#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <upcase/file_descriptor.hpp>
#include <vector>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace test {

/// A datagram socket that takes in messages whenever it is asked something.
/// Barriers are answered, descriptors kept by name, as systemd does.
class notify_socket {
 public:
  notify_socket();

  /// NOTIFY_SOCKET=..., for the daemon's environment.
  [[nodiscard]] std::string variable() const;

  /// Waits until some message holds `text`.
  bool heard(std::string_view text, std::chrono::nanoseconds limit = patience_left());

  /// From now on no barrier is answered, until `answer_barriers`.
  void hold_barriers() noexcept { holds_ = true; }
  void answer_barriers();
  /// Whether one waits for that.
  bool is_asked();

  /// All messages so far, each ended by a blank line.
  const std::string& messages();

  struct stored {
    std::string name;
    upcase::file_descriptor fd;
  };
  /// What is in the store; messages that remove are obeyed.
  std::vector<stored>& store();

 private:
  void take_in();

  temporary_directory place_;
  upcase::file_descriptor socket_;
  std::string messages_;
  std::vector<stored> store_;
  bool holds_ = false;
  std::vector<upcase::file_descriptor> barriers_;
};

}  // namespace test
