// stderr_log: what it does where standard error takes a line in part or not at
// all. The test's own standard error is replaced meanwhile.

#include <array>
#include <boost/test/unit_test.hpp>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <sstream>
#include <string>
#include <string_view>
#include <termios.h>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <upcase/stderr_log.hpp>
#include <vector>

#include "support/process.hpp"
#include "support/pseudo_terminal.hpp"

namespace {

// Standard error as a terminal whose screen the test reads when it likes. A
// terminal that is full takes a line in part.
class error_terminal {
 public:
  error_terminal() : saved_(::dup(STDERR_FILENO)) {
    const upcase::file_descriptor opened(::open(terminal_.path().c_str(), O_RDWR | O_NOCTTY));
    termios mode{};
    BOOST_REQUIRE(::tcgetattr(opened.get(), &mode) == 0);
    ::cfmakeraw(&mode);
    BOOST_REQUIRE(::tcsetattr(opened.get(), TCSANOW, &mode) == 0);
    BOOST_REQUIRE(::setenv("NO_COLOR", "1", 1) == 0);
    BOOST_REQUIRE(::dup2(opened.get(), STDERR_FILENO) == STDERR_FILENO);
  }
  error_terminal(const error_terminal&) = delete;
  error_terminal& operator=(const error_terminal&) = delete;
  ~error_terminal() { ::dup2(saved_.get(), STDERR_FILENO); }

  /// What can be read of it now.
  [[nodiscard]] std::string read() const { return terminal_.read(); }

 private:
  test::pseudo_terminal terminal_;
  upcase::file_descriptor saved_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

constexpr std::string_view word = " status fill=";
constexpr std::string_view count = "dropped-lines=";

void log_filler(upcase::log& to, const std::string& filler) {
  to.write(upcase::log_level::info, upcase::event::status, {{"fill", filler}});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stderr_log)

BOOST_AUTO_TEST_CASE(lines_that_are_not_taken_are_dropped_and_counted) {
  const error_terminal errors;
  upcase::stderr_log log;
  constexpr std::size_t written = 100;
  const std::string filler(500, 'f');
  for (std::size_t i = 1; i < written; ++i) {
    log_filler(log, filler);
  }
  std::string screen = errors.read();
  log_filler(log, filler);

  std::size_t whole = 0;
  std::size_t dropped = 0;
  test::eventually([&] {
    screen += errors.read();
    whole = 0;
    dropped = 0;
    for (const std::string& line : lines_of(screen)) {
      whole += line.find(filler) != std::string::npos ? 1 : 0;
      const auto at = line.find(count);
      dropped += at != std::string::npos ? std::stoul(line.substr(at + count.size())) : 0;
    }
    return whole + dropped == written;
  });
  BOOST_TEST(dropped > 0U);
  BOOST_TEST(whole + dropped == written);
  // None is glued to one that was cut.
  for (const std::string& line : lines_of(screen)) {
    BOOST_TEST(line.find(word) == line.rfind(word), line);
  }
}

BOOST_AUTO_TEST_CASE(a_line_that_a_pipe_would_tear_is_cut) {
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  const upcase::file_descriptor reading_end(ends[0]);
  {
    const upcase::file_descriptor writing_end(ends[1]);
    const upcase::file_descriptor saved(::dup(STDERR_FILENO));
    BOOST_REQUIRE(::dup2(writing_end.get(), STDERR_FILENO) == STDERR_FILENO);
    upcase::stderr_log log;
    log_filler(log, std::string(2 * PIPE_BUF, 'f'));
    log_filler(log, "short");
    BOOST_REQUIRE(::dup2(saved.get(), STDERR_FILENO) == STDERR_FILENO);
  }
  std::string text(4 * PIPE_BUF, '\0');
  const ssize_t size = ::read(reading_end.get(), text.data(), text.size());
  BOOST_REQUIRE(size > PIPE_BUF);
  text.resize(static_cast<std::size_t>(size));
  const auto lines = lines_of(text);
  BOOST_REQUIRE(lines.size() == 2U);
  BOOST_TEST(lines[0].size() == PIPE_BUF - 1U);
  BOOST_TEST(lines[1].ends_with("fill=short"));
}

BOOST_AUTO_TEST_SUITE_END()
