// pseudo_terminal: pts(4).

#include "support/pseudo_terminal.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace test {

pseudo_terminal::pseudo_terminal() : screen_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  std::array<char, 64> name{};
  if (!screen_ || ::grantpt(screen_.get()) != 0 || ::unlockpt(screen_.get()) != 0 ||
      ::ptsname_r(screen_.get(), name.data(), name.size()) != 0 ||
      ::fcntl(screen_.get(), F_SETFL, O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(), "pseudo-terminal");
  }
  path_ = name.data();
  held_.reset(::open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
}

std::string pseudo_terminal::read() const {
  std::string all;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got = ::read(screen_.get(), part.data(), part.size());
    if (got <= 0) {
      return all;
    }
    all.append(part.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace test
