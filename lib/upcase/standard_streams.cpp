// standard_streams: three descriptors, opened, written, flushed.

#include <upcase/standard_streams.hpp>

#include <cstdio>
#include <fcntl.h>
#include <new>
#include <string>
#include <unistd.h>
#include <upcase/escape.hpp>

namespace upcase {

bool occupy_standard_streams() noexcept {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) >= 0) {
      continue;
    }
    // The wrong way round, so that to use it fails as if it were closed. It gets
    // the lowest number that is free, which is this one.
    const int flags = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", flags) != stream) {
      return false;
    }
  }
  return true;
}

void complain(std::string_view line) noexcept {
  try {
    const std::string text = printable(line) + '\n';
    std::fwrite(text.data(), 1, text.size(), stderr);
  } catch (const std::bad_alloc&) {
    std::fputs("no memory to say what is wrong\n", stderr);
  }
}

bool flush_output() noexcept { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

}  // namespace upcase
