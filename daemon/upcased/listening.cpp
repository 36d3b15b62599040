// listening: activated, inherited, or new.

#include "listening.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <upcase/published_directory.hpp>
#include <utility>

namespace upcased {
namespace {

// With `problems`, an error goes there, and the result is null.
std::unique_ptr<upcase::listener> open_configured(const upcase::settings& config,
                                                  std::vector<std::string>* problems) {
  try {
    return std::make_unique<upcase::listener>(config.socket, config.socket_mode,
                                              static_cast<int>(config.backlog));
  } catch (const upcase::listen_error& error) {
    if (problems == nullptr) {
      throw;
    }
    problems->emplace_back(error.what());
    return nullptr;
  }
}

// Its file and lock go with it; who waits in its backlog sees a close.
void close_unused(std::unique_ptr<upcase::listener> unused, const std::string& path,
                  const std::string& served, upcase::log& journal) {
  if (path == served) {
    unused->leave_socket();
  } else {
    upcase::withdraw_client_directory(path);
  }
  unused.reset();
  journal.write(upcase::log_level::warning, upcase::event::status,
                {{"listener", "closed"},
                 {"socket", path},
                 {"reason", fmt::format("the daemon now listens on '{}'", served)}});
}

}  // namespace

listening listen(inheritance& inherited, upcase::settings& config, upcase::log& journal) {
  const auto backlog = static_cast<int>(config.backlog);
  const std::string old_path = inherited.own.path;
  std::unique_ptr<upcase::listener> old;
  if (inherited.own.fd) {
    old = std::make_unique<upcase::listener>(std::move(inherited.own.fd), std::move(inherited.lock),
                                             old_path);
  }
  listening result;
  if (inherited.activated.fd) {
    result.path = inherited.activated.path;
    result.socket = std::move(inherited.activated.fd);
  } else {
    if (!old || old_path != config.socket) {
      result.own = open_configured(config, old ? &result.problems : nullptr);
    }
    if (!result.own) {
      config.socket = old_path;
      result.own = std::move(old);
      std::ranges::move(result.own->renew(config.socket_mode, backlog),
                        std::back_inserter(result.problems));
    }
    result.path = config.socket.native();
    result.socket = result.own->take_socket();
  }
  if (old) {
    close_unused(std::move(old), old_path, result.path, journal);
  }
  return result;
}

}  // namespace upcased
