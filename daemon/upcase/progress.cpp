// progress: one line, drawn over itself.

#include "progress.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/system_calls.hpp>

namespace upcase_client {
namespace {

constexpr std::chrono::milliseconds between_draws{100};
constexpr std::size_t bar_width = 30;

std::string format_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, units.at(unit));
}

std::string format_seconds(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

progress::progress(std::optional<std::uint64_t> total)
    : total_(total),
      on_terminal_(::isatty(STDERR_FILENO) == 1),
      coloured_(upcase::wants_colour(STDERR_FILENO)) {}

progress::~progress() {
  if (on_terminal_) {
    draw();
    std::fputc('\n', stderr);
  }
}

void progress::update(std::uint64_t done) {
  done_ = done;
  if (const auto now = clock::now(); on_terminal_ && now - drawn_ >= between_draws) {
    drawn_ = now;
    draw();
  }
}

void progress::draw() const {
  const double elapsed = std::chrono::duration<double>(clock::now() - began_).count();
  const double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
  std::string line =
      fmt::format("{:>10}  {:>10}/s", format_bytes(static_cast<double>(done_)), format_bytes(rate));
  if (total_ && *total_ > 0) {
    const double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(*total_));
    const auto full = static_cast<std::size_t>(share * bar_width);
    const auto left = static_cast<double>(*total_ - std::min(done_, *total_));
    line = fmt::format("{}[{:#<{}}{:.<{}}]{} {:3.0f}%  {}  ETA {}", coloured_ ? "\x1b[32m" : "", "",
                       full, "", bar_width - full, coloured_ ? "\x1b[0m" : "", share * 100, line,
                       rate > 0 ? format_seconds(left / rate) : "-:--");
  }
  line = fmt::format("\r{}\x1b[K", line);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::optional<std::uint64_t> bytes_to_read(int input) {
  struct stat status {};
  if (::fstat(input, &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  const off_t at = std::max<off_t>(::lseek(input, 0, SEEK_CUR), 0);
  return static_cast<std::uint64_t>(std::max<off_t>(status.st_size - at, 0));
}

}  // namespace upcase_client
