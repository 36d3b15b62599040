// service: turns signals into calls of the server and tells the service manager
// how it goes.

#include "service.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <new>
#include <optional>
#include <sysexits.h>
#include <unistd.h>
#include <upcase/client_directory.hpp>
#include <upcase/published_directory.hpp>
#include <upcase/server.hpp>
#include <upcase/service_unit.hpp>
#include <utility>
#include <vector>

#include "heartbeat.hpp"
#include "inheritance.hpp"
#include "inherited_settings.hpp"
#include "kept_files.hpp"
#include "listening.hpp"
#include "occupied.hpp"
#include "preparation.hpp"
#include "reloader.hpp"
#include "service_manager.hpp"
#include "shortcomings.hpp"
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
  service(beginning with, upcase::log& journal)
      : running_(std::move(with.config)),
        defaults_(std::move(with.defaults)),
        journal_(journal),
        inherited_(std::move(with.inherited)),
        shortcomings_(std::move(with.refused), journal),
        still_to_be_read_(with.still_to_be_read),
        directories_(prepare()),
        listening_(listen()),
        signals_(context_, [this](int signal) { obey(signal); }),
        status_(context_, manager_),
        server_(context_, std::move(listening_.socket), running_, std::move(directories_),
                upcase::uppercase_session, journal),
        heartbeat_(context_, server_),
        reloader_(context_, with.sources, defaults_,
                  [this](loaded_configuration fresh) { reload(std::move(fresh)); }),
        succession_(context_, server_, manager_, journal, std::move(with.argv)) {}

  int run() {
    signals_.start();
    if (manager_.listens()) {
      server_.on_change([this] { status_.changed(); });
    }
    take_over_clients();
    publish_client_directory(listening_.path, running_, journal_);
    if (const std::string remark = shortcomings_.remark(); !remark.empty()) {
      status_.remark(remark);
    }
    server_.start();
    journal_.write(log_level::info, event::status,
                   {{"state", "serving"},
                    {"socket", listening_.path},
                    {"version", UPCASE_VERSION},
                    {"pid", ::getpid()},
                    {"max-clients", running_.max_clients},
                    {"sent-descriptors", server_.refuses_descriptors() ? "refused" : "closed"}});
    report_start();
    if (still_to_be_read_) {
      reloader_.begin();
    }
    context_.run();
    // A service manager's socket stays, and so does the link beside it.
    if (listening_.own && exit_code_ == EX_OK) {
      upcase::withdraw_client_directory(listening_.path);
    }
    return exit_code_;
  }

 private:
  // With a predecessor, its clients want to be served by what can be had.
  std::vector<upcase::client_directory> prepare() {
    const auto tell = [this](shortcomings::until end) -> on_problem {
      if (!inherited_.has_predecessor) {
        return refuse;
      }
      return [this, end](const start_error& error) { shortcomings_.add(error.what(), end); };
    };
    prepare_directories(running_, defaults_, tell(shortcomings::until::restart));
    auto opened = open_client_directories(running_, tell(shortcomings::until::reload));
    tell_kept_files(journal_, opened, upcase::unit_of(running_.socket));
    return opened;
  }

  listening listen() {
    if (inherited_.unusable) {
      shortcomings_.add(inherited_.unusable->what(), shortcomings::until::restart);
    }
    listening result = upcased::listen(inherited_, running_, journal_);
    for (const std::string& problem : result.problems) {
      shortcomings_.add(problem, shortcomings::until::restart);
    }
    return result;
  }

  // Before anybody is told that we serve, so that who waits for that finds the
  // old clients served.
  void take_over_clients() {
    if (inherited_.has_predecessor) {
      server_.take_over(unload(inherited_.carriers, journal_));
      for (const char* name : {carrier_name, listener_name, lock_name, settings_name}) {
        manager_.forget(name);
      }
    }
    inherited_ = {};
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
        reloader_.begin();
      }
    } else if (!std::exchange(stopping_, true)) {
      if (!succession_.cancel()) {
        stop(late_clients());
      }
    } else if (draining_) {
      server_.stop_now();
    } else {
      at_once_ = true;  // the server has its clients back first
    }
  }

  std::vector<named_descriptor> estate() {
    std::vector<named_descriptor> result{
        {listening_.own ? listener_name : activated_name, server_.listening_socket()}};
    if (listening_.own && listening_.own->lock() >= 0) {
      result.push_back({lock_name, listening_.own->lock()});
    }
    packed_ = pack_settings(running_, journal_);
    if (packed_) {
      result.push_back({settings_name, packed_.get()});
    }
    return result;
  }

  void hand_over() {
    const auto ended = [this](succession::outcome how) {
      if (how == succession::outcome::failed) {
        if (stopping_) {
          stop(late_clients());
        }
        return;
      }
      exit_code_ = exit_handed_over;
      if (listening_.own) {
        listening_.own->leave_files();
      }
      if (how == succession::outcome::done) {
        context_.stop();
      } else if (!std::exchange(stopping_, true)) {
        stop(upcase::late_clients::wait);  // for the successor
      }
    };
    succession_.begin([this] { return estate(); }, ended);
  }

  // The service manager's socket is not ours to shut down.
  [[nodiscard]] upcase::late_clients late_clients() const noexcept {
    return listening_.own ? upcase::late_clients::unable_to_connect
                          : upcase::late_clients::turned_away;
  }

  void stop(upcase::late_clients late) {
    draining_ = true;
    reloader_.stop();
    report_stop();
    server_.stop(
        [this] {
          heartbeat_.stop();
          status_.stop();
          signals_.stop();
        },
        late);
    if (at_once_) {
      server_.stop_now();
    }
  }

  void reload(loaded_configuration fresh) {
    auto& loaded = fresh.settings;
    for (const std::string& problem : loaded.problems) {
      journal_.write(log_level::error, event::status,
                     {{"reload", "refused"}, {"problem", problem}});
    }
    if (!loaded.problems.empty()) {
      tell_refused_reload(loaded.problems);
    } else {
      try {
        apply(std::move(fresh));
      } catch (const std::bad_alloc& error) {
        journal_.write(log_level::error, event::status,
                       {{"reload", "refused"}, {"problem", error.what()}});
      }
    }
    if (!reloader_.busy()) {
      manager_.ready();
    }
  }

  // Throws std::bad_alloc, and then the old settings hold.
  void apply(loaded_configuration fresh) {
    keep_fixed(fresh.settings.value);
    tell_kept_files(journal_, fresh.directories, upcase::unit_of(running_.socket));
    upcase::settings next = fresh.settings.value;
    server_.reload(std::move(fresh.settings.value), std::move(fresh.directories));
    running_ = std::move(next);
    publish_client_directory(listening_.path, running_, journal_);
    journal_.set_threshold(running_.level);
    tell_warnings(journal_, fresh.settings.warnings);
    journal_.write(log_level::info, event::status, {{"reload", "done"}});
    shortcomings_.reloaded();
    status_.remark(shortcomings_.remark());
  }

  // Stays in the status until a reload succeeds.
  void tell_refused_reload(const std::vector<std::string>& problems) {
    status_.remark("reload refused, still with the old configuration: " + first_of(problems));
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
  const upcase::settings defaults_;
  upcase::log& journal_;
  asio::io_context context_{1};  // the hint: one thread runs it
  inheritance inherited_;        // until it is taken over
  shortcomings shortcomings_;
  bool still_to_be_read_;
  std::vector<upcase::client_directory> directories_;  // on their way to the server
  listening listening_;
  upcase::file_descriptor packed_;  // the settings, on their way to a successor
  signals signals_;
  service_manager manager_;
  std::optional<std::chrono::microseconds> silence_ = service_manager::longest_silence();
  status_report status_;  // before the server, which calls it from every thread
  upcase::server server_;
  heartbeat heartbeat_;
  reloader reloader_;
  succession succession_;
  bool stopping_ = false;  // a stop is asked for
  bool draining_ = false;  // the server stops
  bool at_once_ = false;   // a second stop was asked for before that
  int exit_code_ = EX_OK;
};

}  // namespace

int serve(beginning with, upcase::log& journal) {
  // A client or a log reader that goes away is an error code, not a signal.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
    throw start_error(EX_OSERR, "cannot ignore SIGPIPE");
  }
  raise_descriptor_limit();
  tell_discarded(with.inherited, journal);
  const bool has_predecessor = with.inherited.has_predecessor;
  try {
    if (!with.inherited.activated.fd && !with.inherited.own.fd) {
      refuse_if_served(with.config.socket);
    }
    return service(std::move(with), journal).run();
  } catch (const upcase::listen_error& error) {
    // A predecessor's clients would wait for the next try, and the one after it.
    throw start_error(has_predecessor         ? EX_CONFIG
                      : error.already_running ? EX_UNAVAILABLE
                                              : EX_OSERR,
                      error.what());
  }
}

}  // namespace upcased
