// journal_log: the log in systemd's journal, each field by its own name.
//
//   journalctl -t upcased UPCASED_EVENT=deny UPCASED_CLIENT_UID=1000
//
// finds what was refused to whom. A field `some-key` is UPCASED_SOME_KEY; of
// the fields of a client's event, uid, pid and path are UPCASED_CLIENT_UID, _PID
// and _PATH. They hold what the client chose byte for byte, in the form of the
// protocol that gives the length beforehand, so that no byte can end a field or
// begin another. The message itself is the line that other logs show, escaped.
//
// It speaks the journal's protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL) itself:
// sd_journal_send(3) waits while the journal's queue is full, and a slow disk
// under the journal must not stop our event loop. Nor would a queue of our own
// do: a journal that falls behind stays behind, and memory is for clients. A
// message that is not taken at once is dropped, and the next one that is says
// how many were (dropped-lines, UPCASED_DROPPED_LINES).

#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <sys/un.h>
#include <upcase/file_descriptor.hpp>
#include <upcase/log.hpp>

namespace upcase {

class journal_log final : public log {
 public:
  static constexpr const char* default_socket = "/run/systemd/journal/socket";

  /// Throws std::system_error if there can be no socket.
  explicit journal_log(const std::string& socket = default_socket);

 private:
  void do_write(log_level level, event what, log_fields fields) override;
  [[nodiscard]] bool send(const std::string& message) const noexcept;

  file_descriptor socket_;
  sockaddr_un journal_;
  std::atomic<std::size_t> dropped_ = 0;  // since the last message that was taken
};

/// The log that suits our standard error: the journal in its own protocol if
/// it goes there, else stderr_log.
std::unique_ptr<log> open_log();

}  // namespace upcase
