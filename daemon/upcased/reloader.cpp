// reloader: a detached thread, and an eventfd(2) that both sides own. The thread
// may outlive everything else, so it uses nothing that it does not share.

#include "reloader.hpp"

#include <cerrno>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <upcase/file_descriptor.hpp>
#include <upcase/system_calls.hpp>
#include <utility>

#include "preparation.hpp"
#include "start_error.hpp"

namespace upcased {
namespace {

int duplicate(int fd) {
  const int result = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (result < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot duplicate a descriptor");
  }
  return result;
}

loaded_configuration failed(std::string problem) {
  loaded_configuration result;
  result.settings.problems.push_back(std::move(problem));
  return result;
}

loaded_configuration load(const upcase::setting_sources& sources,
                          const upcase::settings& defaults) {
  loaded_configuration result;
  try {
    result.settings = upcase::load_settings(sources, defaults);
    if (result.settings.problems.empty()) {
      result.directories = open_client_directories(result.settings.value);
    }
  } catch (const std::exception& error) {
    return failed(error.what());
  }
  return result;
}

}  // namespace

struct reloader::shared {
  shared(upcase::setting_sources from, upcase::settings over)
      : sources(std::move(from)), defaults(std::move(over)) {}

  const upcase::setting_sources sources;
  const upcase::settings defaults;
  const upcase::file_descriptor bell = upcase::make_eventfd();
  std::mutex mutex;
  std::optional<loaded_configuration> result;  // none after the bell: no memory for one
};

reloader::reloader(boost::asio::io_context& context, const upcase::setting_sources& sources,
                   const upcase::settings& defaults,
                   std::function<void(loaded_configuration)> loaded)
    : shared_(std::make_shared<shared>(sources, defaults)),
      bell_(context, duplicate(shared_->bell.get())),
      loaded_(std::move(loaded)) {}

void reloader::begin() {
  if (std::exchange(busy_, true)) {
    again_ = true;
    return;
  }
  wait();
  try {
    start_thread();
  } catch (const std::exception& error) {
    shared_->result = failed(error.what());
    upcase::ring(shared_->bell.get());
  }
}

void reloader::stop() {
  again_ = false;
  bell_.cancel();
}

// It inherits a mask under which signals reach the signalfd(2) alone.
void reloader::start_thread() {
  std::thread([common = shared_]() noexcept {
    std::optional<loaded_configuration> result;
    try {
      result = load(common->sources, common->defaults);
    } catch (const std::exception&) {
      // No memory to say so.
    }
    {
      const std::scoped_lock lock(common->mutex);
      common->result = std::move(result);
    }
    upcase::ring(common->bell.get());
  }).detach();
}

void reloader::wait() {
  bell_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                   [this](const boost::system::error_code& stopped) {
                     if (!stopped) {
                       finish();
                     }
                   });
}

void reloader::finish() {
  eventfd_t rings = 0;
  ::eventfd_read(shared_->bell.get(), &rings);
  std::optional<loaded_configuration> result;
  {
    const std::scoped_lock lock(shared_->mutex);
    result = std::exchange(shared_->result, std::nullopt);
  }
  busy_ = false;
  if (std::exchange(again_, false)) {
    begin();
  }
  loaded_(result ? std::move(*result) : failed("no memory"));
}

}  // namespace upcased
