// stderr_log: the log on standard error.
//
// On a terminal with a coloured level (unless NO_COLOR is set, no-color.org);
// under systemd with the "<6>" priorities of sd-daemon(3), since the journal
// adds the time itself (journal_log.hpp tells it more); in a file or a pipe plain, with the time in
// UTC.
//
// It never blocks: whoever stops reading our standard error must not stop us.
// A line that cannot be written at once is dropped, and the next one that can
// be says how many were.

#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <upcase/file_descriptor.hpp>
#include <upcase/log.hpp>

namespace upcase {

/// Whether our standard error goes to the journal.
bool stderr_is_journal();

class stderr_log final : public log {
 public:
  stderr_log();

 private:
  enum class style { plain, coloured, journal };

  void do_write(log_level level, event what, log_fields fields) override;
  void write_line(std::string line);
  [[nodiscard]] ssize_t put(std::string_view bytes) const noexcept;

  style style_;
  file_descriptor own_;  // standard error once more, but non-blocking; where that can be had
  bool is_socket_;
  std::mutex mutex_;
  std::size_t dropped_ = 0;  // lines since the last one that was written
  bool torn_ = false;        // a terminal took the beginning of the last one
};

}  // namespace upcase
