// service: prepares the ground, then turns signals into calls of the server.

#include "service.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>
#include <upcase/busy_poll.hpp>
#include <upcase/client_directory.hpp>
#include <upcase/listener.hpp>
#include <upcase/runtime_directory.hpp>
#include <upcase/server.hpp>
#include <utility>
#include <variant>
#include <vector>

namespace upcased {
namespace {

namespace asio = boost::asio;
using upcase::event;
using upcase::log_level;

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

// The directories that have a place in the default layout are made as needed;
// elsewhere the administrator decides what exists.
void prepare_directories(const upcase::settings& config, const upcase::settings& defaults) {
  const auto runtime = defaults.socket.parent_path();
  bool used = config.socket.parent_path() == runtime;
  for (const auto& directory : config.client_directories) {
    used = used || directory.parent_path() == runtime;
  }
  if (used) {
    if (const auto problem = upcase::prepare_runtime_directory(runtime)) {
      throw start_error(EX_OSERR, *problem);
    }
  }
}

std::vector<upcase::client_directory> open_client_directories(const upcase::settings& config) {
  std::vector<upcase::client_directory> result;
  if (config.credentials.source == upcase::credential_source::kernel) {
    return result;
  }
  if (!upcase::kernel_can_check_files()) {
    throw start_error(
        EX_OSERR,
        "this kernel has no openat2(2), or forbids it; the check of clients' socket "
        "files needs Linux 5.6, without it only 'credentials = kernel' can be served");
  }
  for (const auto& path : config.client_directories) {
    auto opened = upcase::client_directory::open_or_create(path);
    if (const auto* problem = std::get_if<std::string>(&opened)) {
      throw start_error(EX_CONFIG, "client-directory: " + *problem);
    }
    result.push_back(std::get<upcase::client_directory>(std::move(opened)));
  }
  return result;
}

class service {
 public:
  service(upcase::settings config, const upcase::setting_sources& sources,
          const upcase::settings& defaults, upcase::log& journal)
      : running_(config),
        sources_(sources),
        defaults_(defaults),
        journal_(journal),
        directories_(open_client_directories(config)),
        listener_(config.socket, config.socket_mode, static_cast<int>(config.backlog)),
        signals_(context_, SIGTERM, SIGINT, SIGHUP),
        server_(context_, listener_.take_socket(), std::move(config), std::move(directories_),
                upcase::uppercase_session, journal) {}

  void run() {
    wait_for_signal();
    server_.start();
    journal_.write(log_level::info, event::status,
                   {{"state", "serving"},
                    {"socket", running_.socket.native()},
                    {"version", UPCASE_VERSION},
                    {"pid", ::getpid()},
                    {"max-clients", running_.max_clients}});
    upcase::run_loop(context_, running_.busy_poll);
  }

 private:
  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& cancelled, int number) {
      if (!cancelled) {
        wait_for_signal();  // first, so that obeying can cancel it
        obey(number);
      }
    });
  }

  void obey(int signal) {
    if (signal == SIGHUP) {
      if (!stopping_) {
        reload();
      }
    } else if (!std::exchange(stopping_, true)) {
      server_.stop([this] { signals_.cancel(); });
    } else {
      server_.stop_now();
    }
  }

  void reload() {
    auto loaded = upcase::load_settings(sources_, defaults_);
    std::vector<upcase::client_directory> directories;
    if (loaded.problems.empty()) {
      try {
        directories = open_client_directories(loaded.value);
      } catch (const start_error& error) {
        loaded.problems.emplace_back(error.what());
      }
    }
    for (const std::string& problem : loaded.problems) {
      journal_.write(log_level::error, event::status,
                     {{"reload", "refused"}, {"problem", problem}});
    }
    if (!loaded.problems.empty()) {
      return;
    }
    keep_fixed(loaded.value);
    running_ = loaded.value;
    journal_.set_threshold(running_.level);
    server_.reload(std::move(loaded.value), std::move(directories));
    journal_.write(log_level::info, event::status, {{"reload", "done"}});
  }

  // What was fixed at start stays; who changed it is told.
  void keep_fixed(upcase::settings& fresh) {
    const auto keep = [this](std::string_view key, auto& changed, const auto& current) {
      if (changed != current) {
        changed = current;
        journal_.write(log_level::warning, event::status,
                       {{"reload", "partial"}, {"needs-restart", key}});
      }
    };
    keep("socket", fresh.socket, running_.socket);
    keep("socket-mode", fresh.socket_mode, running_.socket_mode);
    keep("backlog", fresh.backlog, running_.backlog);
    keep("threads", fresh.threads, running_.threads);
    keep("busy-poll", fresh.busy_poll, running_.busy_poll);
  }

  upcase::settings running_;
  const upcase::setting_sources& sources_;
  const upcase::settings& defaults_;
  upcase::log& journal_;
  asio::io_context context_{1};                        // the hint: one thread runs it
  std::vector<upcase::client_directory> directories_;  // on their way to the server
  upcase::listener listener_;
  asio::signal_set signals_;
  upcase::server server_;
  bool stopping_ = false;
};

}  // namespace

void serve(upcase::settings config, const upcase::setting_sources& sources,
           const upcase::settings& defaults, upcase::log& journal) {
  // A client or a log reader that goes away is an error code, not a signal.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
    throw start_error(EX_OSERR, "cannot ignore SIGPIPE");
  }
  raise_descriptor_limit();
  prepare_directories(config, defaults);
  try {
    service(std::move(config), sources, defaults, journal).run();
  } catch (const upcase::listen_error& error) {
    throw start_error(error.already_running ? EX_UNAVAILABLE : EX_OSERR, error.what());
  }
}

}  // namespace upcased
