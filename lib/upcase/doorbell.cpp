// doorbell: an eventfd(2) and a wait for it.

#include <upcase/doorbell.hpp>

#include <cerrno>
#include <sys/eventfd.h>
#include <system_error>
#include <utility>

namespace upcase {
namespace {

namespace asio = boost::asio;

int make_bell() {
  const int bell = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (bell < 0) {
    throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  return bell;
}

}  // namespace

doorbell::doorbell(asio::io_context& context, std::function<void()> answer)
    : bell_(context, make_bell()), fd_(bell_.native_handle()), answer_(std::move(answer)) {
  wait();
}

void doorbell::ring() const noexcept {
  // Fails only when the count is full, and then it rings already.
  ::eventfd_write(fd_, 1);
}

void doorbell::wait() {
  bell_.async_wait(asio::posix::stream_descriptor::wait_read,
                   [this](const boost::system::error_code& stopped) {
                     if (stopped) {
                       return;
                     }
                     eventfd_t rings = 0;
                     ::eventfd_read(fd_, &rings);
                     // First, while the memory of the last wait is at hand.
                     wait();
                     answer_();
                   });
}

}  // namespace upcase
