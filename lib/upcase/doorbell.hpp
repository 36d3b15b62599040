// doorbell: any thread tells an event loop that it is time to look.
//
// Posting to the loop would do, but asks for memory, and what is told here (a
// client is gone) is told from where nothing may fail. Ringing an eventfd(2)
// cannot, and rings that come before anybody looks are one.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

namespace upcase {

class doorbell {
 public:
  /// `answer` is called on the context's thread, once or more after each ring.
  /// Throws std::system_error where descriptors are missing.
  doorbell(boost::asio::io_context& context, std::function<void()> answer);

  /// Any thread, for as long as the bell exists.
  void ring() const noexcept;

  /// Lets the context's `run` return; nobody answers any more.
  void stop() { bell_.cancel(); }

 private:
  void wait();

  boost::asio::posix::stream_descriptor bell_;
  int fd_;  // the same, for threads that must not touch Asio's object
  std::function<void()> answer_;
};

}  // namespace upcase
