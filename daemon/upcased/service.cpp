// service: turns signals into calls of the server and tells the service manager
// how it goes.

#include "service.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <sysexits.h>
#include <unistd.h>
#include <upcase/carrier.hpp>
#include <upcase/client_directory.hpp>
#include <upcase/listener.hpp>
#include <upcase/server.hpp>
#include <utility>
#include <vector>

#include "heartbeat.hpp"
#include "inheritance.hpp"
#include "preparation.hpp"
#include "service_manager.hpp"
#include "signals.hpp"
#include "start_error.hpp"
#include "status_report.hpp"
#include "succession.hpp"

namespace upcased {
namespace {

namespace asio = boost::asio;
using upcase::event;
using upcase::log_level;

// While a stop takes its time, the service manager is asked for so much more,
// and again long before that is over.
constexpr std::chrono::seconds stop_extension{15};
constexpr std::chrono::microseconds between_extensions = std::chrono::seconds(5);

// "Start me again": the unit's RestartForceExitStatus=.
constexpr int exit_handed_over = EX_TEMPFAIL;

class service {
 public:
  service(upcase::settings config, const upcase::setting_sources& sources,
          const upcase::settings& defaults, std::vector<std::string> argv, upcase::log& journal)
      : running_(config),
        sources_(sources),
        defaults_(defaults),
        journal_(journal),
        directories_(open_client_directories(config)),
        inherited_(take_inheritance(journal)),
        signals_(context_, [this](int signal) { obey(signal); }),
        status_(context_, manager_),
        server_(context_, listen(), std::move(config), std::move(directories_),
                upcase::uppercase_session, journal),
        heartbeat_(context_, server_),
        succession_(context_, server_, manager_, journal, std::move(argv)) {}

  int run() {
    signals_.start();
    if (manager_.listens()) {
      server_.on_change([this] { status_.changed(); });
    }
    take_over_clients();
    server_.start();
    journal_.write(log_level::info, event::status,
                   {{"state", "serving"},
                    {"socket", socket_path_},
                    {"version", UPCASE_VERSION},
                    {"pid", ::getpid()},
                    {"max-clients", running_.max_clients},
                    {"sent-descriptors", server_.refuses_descriptors() ? "refused" : "closed"}});
    report_start();
    context_.run();
    return exit_code_;
  }

 private:
  // The service manager's socket, or else one of our own, which a predecessor
  // may have opened.
  upcase::file_descriptor listen() {
    if (inherited_.activated.fd) {
      socket_path_ = inherited_.activated.path;
      return std::move(inherited_.activated.fd);
    }
    socket_path_ = running_.socket.native();
    const auto backlog = static_cast<int>(running_.backlog);
    if (inherited_.own.fd && inherited_.own.path == socket_path_) {
      listener_.emplace(std::move(inherited_.own.fd), running_.socket, running_.socket_mode,
                        backlog);
    } else {
      listener_.emplace(running_.socket, running_.socket_mode, backlog);
    }
    return listener_->take_socket();
  }

  // Before anybody is told that we serve, so that who waits for that finds the
  // old clients served.
  void take_over_clients() {
    if (inherited_.carriers.empty()) {
      return;
    }
    upcase::cargo all;
    std::size_t lost = 0;
    for (const auto& carrier : inherited_.carriers) {
      auto [load, lost_here, problem] = upcase::unload_carrier(carrier.get());
      all.served = std::max(all.served, load.served);
      all.refused = std::max(all.refused, load.refused);
      std::ranges::move(load.clients, std::back_inserter(all.clients));
      lost += lost_here;
      if (lost_here > 0) {
        journal_.write(log_level::error, event::status,
                       {{"taken-over", "no"}, {"clients", lost_here}, {"reason", problem}});
      }
    }
    inherited_.carriers.clear();
    const std::size_t clients = all.clients.size();
    server_.take_over(std::move(all));
    manager_.forget(carrier_name);
    manager_.forget(listener_name);
    journal_.write(log_level::info, event::status,
                   {{"taken-over", "yes"}, {"clients", clients}, {"lost", lost}});
  }

  void report_start() {
    if (!manager_.listens()) {
      return;
    }
    status_.start(server_);
    manager_.ready();
    if (silence_) {
      heartbeat_.start(*silence_ / 2, [this] { manager_.alive(); });
    }
  }

  void report_stop() {
    if (!manager_.listens()) {
      return;
    }
    manager_.stopping();
    status_.remark("stopping");
    const auto period = silence_ ? std::min(*silence_ / 2, between_extensions) : between_extensions;
    heartbeat_.start(period, [this] {
      manager_.extend_timeout(stop_extension);
      manager_.alive();
    });
  }

  void obey(int signal) {
    if (signal == SIGUSR2) {
      if (!stopping_) {
        hand_over();
      }
    } else if (signal == SIGHUP) {
      if (!stopping_) {
        manager_.reloading();
        reload();
        manager_.ready();
      }
    } else if (!std::exchange(stopping_, true)) {
      if (!succession_.cancel()) {
        stop();
      }
    } else {
      server_.stop_now();
    }
  }

  void hand_over() {
    succession_.begin(listener_ ? listener_name : activated_name, [this](succession::outcome how) {
      if (how == succession::outcome::failed) {
        if (stopping_) {
          stop();
        }
        return;
      }
      exit_code_ = exit_handed_over;
      if (listener_) {
        listener_->leave_files();
      }
      if (how == succession::outcome::done) {
        context_.stop();
      } else if (!std::exchange(stopping_, true)) {
        stop();
      }
    });
  }

  void stop() {
    report_stop();
    server_.stop([this] {
      heartbeat_.stop();
      status_.stop();
      signals_.stop();
    });
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
      tell_refused_reload(loaded.problems);
      return;
    }
    keep_fixed(loaded.value);
    running_ = loaded.value;
    journal_.set_threshold(running_.level);
    server_.reload(std::move(loaded.value), std::move(directories));
    journal_.write(log_level::info, event::status, {{"reload", "done"}});
    status_.remark("");
  }

  // Stays in the status until a reload succeeds.
  void tell_refused_reload(const std::vector<std::string>& problems) {
    const std::size_t more = problems.size() - 1;
    status_.remark(fmt::format("reload refused, still with the old configuration: {}{}",
                               problems.front(),
                               more == 0 ? "" : fmt::format(" (and {} more)", more)));
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
  inheritance inherited_;                              // likewise
  std::optional<upcase::listener> listener_;           // none: the service manager listens
  std::string socket_path_;
  signals signals_;
  service_manager manager_;
  std::optional<std::chrono::microseconds> silence_ = service_manager::longest_silence();
  status_report status_;  // before the server, which calls it from every thread
  upcase::server server_;
  heartbeat heartbeat_;
  succession succession_;
  bool stopping_ = false;
  int exit_code_ = EX_OK;
};

}  // namespace

int serve(upcase::settings config, const upcase::setting_sources& sources,
          const upcase::settings& defaults, std::vector<std::string> argv, upcase::log& journal) {
  // A client or a log reader that goes away is an error code, not a signal.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
    throw start_error(EX_OSERR, "cannot ignore SIGPIPE");
  }
  raise_descriptor_limit();
  prepare_directories(config, defaults);
  try {
    return service(std::move(config), sources, defaults, std::move(argv), journal).run();
  } catch (const upcase::listen_error& error) {
    throw start_error(error.already_running ? EX_UNAVAILABLE : EX_OSERR, error.what());
  }
}

}  // namespace upcased
