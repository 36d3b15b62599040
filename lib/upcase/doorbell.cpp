// doorbell: an eventfd(2) and a wait for it.

#include <upcase/doorbell.hpp>

#include <sys/eventfd.h>
#include <upcase/system_calls.hpp>
#include <utility>

namespace upcase {

doorbell::doorbell(boost::asio::io_context& context, std::function<void()> answer)
    : bell_(context, make_eventfd().release()),
      fd_(bell_.native_handle()),
      answer_(std::move(answer)) {
  wait();
}

void doorbell::ring() const noexcept { upcase::ring(fd_); }

void doorbell::wait() {
  bell_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
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
