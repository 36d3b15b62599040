// signals: what people and service managers ask of the daemon.
//
// They are blocked from the first moment of `main` to the last, and read from a
// descriptor (signalfd(2)). So none can kill a process that has not got its
// handlers yet, as SIGUSR2 and SIGHUP would by default, and none is lost when
// this process replaces itself by its successor: what has not been read stays
// pending across exec(2), and the successor reads it.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <sys/signalfd.h>

namespace upcased {

/// Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR2, in this thread and in those that
/// it starts.
void block_signals() noexcept;

/// Whether SIGTERM or SIGINT has come and is not read yet.
bool stop_is_pending() noexcept;

/// Belongs to the thread that runs `context`.
class signals {
 public:
  /// `obey` is called with the number of each. Throws std::system_error.
  signals(boost::asio::io_context& context, std::function<void(int)> obey);

  void start() { wait(); }

  /// Lets the context's `run` return; signals stay pending from now on.
  void stop() { pending_.cancel(); }

 private:
  void wait();

  boost::asio::posix::stream_descriptor pending_;
  signalfd_siginfo next_{};
  std::function<void(int)> obey_;
};

}  // namespace upcased
