// reloader: reads the configuration again while the daemon serves.
//
// Files may lie on a file system that does not answer, and names are asked of
// services that may take minutes. So a thread of its own reads; accepting,
// signals and the watchdog go on meanwhile, as do a stop and a hand-over, which
// leave a thread that is stuck behind.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <upcase/client_directory.hpp>
#include <upcase/settings_loader.hpp>
#include <vector>

namespace upcased {

/// What a reload found; without problems, ready to be taken over.
struct loaded_configuration {
  upcase::loaded_settings settings;
  std::vector<upcase::client_directory> directories;
};

/// Belongs to the thread that runs `context`.
class reloader {
 public:
  /// Reads `sources` over `defaults`, and calls `loaded` on the context's thread.
  /// Throws std::system_error where descriptors are missing.
  reloader(boost::asio::io_context& context, const upcase::setting_sources& sources,
           const upcase::settings& defaults, std::function<void(loaded_configuration)> loaded);
  reloader(const reloader&) = delete;
  reloader& operator=(const reloader&) = delete;

  /// Begins to read. While one reads already, however often it is asked for
  /// another, one more follows.
  void begin();

  /// Whether `begin` was called and `loaded` not yet.
  [[nodiscard]] bool busy() const noexcept { return busy_; }

  /// Lets the context's `run` return; `loaded` is not called any more.
  void stop();

 private:
  struct shared;

  void start_thread();
  void wait();
  void finish();

  std::shared_ptr<shared> shared_;
  boost::asio::posix::stream_descriptor bell_;  // the thread has a result
  std::function<void(loaded_configuration)> loaded_;
  bool busy_ = false;
  bool again_ = false;
};

}  // namespace upcased
