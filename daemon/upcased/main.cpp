// upcased: the daemon. Options, settings, service, and what each failure means
// to the caller (sysexits.h).

#include <chrono>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <sysexits.h>
#include <thread>
#include <upcase/journal_log.hpp>
#include <upcase/runtime_directory.hpp>
#include <upcase/settings_loader.hpp>
#include <upcase/standard_streams.hpp>
#include <upcase/stderr_log.hpp>
#include <utility>
#include <vector>

#include "complaint.hpp"
#include "examination.hpp"
#include "inheritance.hpp"
#include "inherited_settings.hpp"
#include "options.hpp"
#include "preparation.hpp"
#include "service.hpp"
#include "signals.hpp"
#include "start_error.hpp"

namespace {

using action = upcased::command::action;

int fail(upcase::log& journal, int code, const std::string& reason) {
  upcased::complain(journal, "upcased: " + reason,
                    {{"state", "failed"}, {"reason", reason}, {"exit-code", code}});
  return code;
}

// A unit's command line may have changed under the clients of a predecessor: its
// settings serve them, and what is wrong is told as of a configuration.
upcased::command parse(int argc, char** argv, const upcased::inheritance& inherited) {
  try {
    return upcased::parse_command_line(argc, argv);
  } catch (const upcased::usage_error& error) {
    if (!inherited.settings) {
      throw;
    }
    upcased::command result;
    result.sources.problems.push_back(fmt::format("command line: {}", error.what()));
    return result;
  }
}

// Of clients that were left to this process none should wait for a file or a name
// service that does not answer. Nothing if it takes longer than they should wait.
std::optional<upcase::loaded_settings> load_in_time(const upcase::setting_sources& sources,
                                                    const upcase::settings& defaults) {
  constexpr std::chrono::seconds limit{1};
  std::packaged_task<upcase::loaded_settings()> load(
      [sources, defaults] { return upcase::load_settings(sources, defaults); });
  auto result = load.get_future();
  std::thread(std::move(load)).detach();
  if (result.wait_for(limit) != std::future_status::ready) {
    return std::nullopt;
  }
  return result.get();
}

// What the sources say; or what a predecessor served by, where that is wrong or cannot
// be read in time. `with` then says why.
upcase::loaded_settings load(upcased::beginning& with, upcase::log& journal) {
  if (!with.inherited.settings) {
    return upcase::load_settings(with.sources, with.defaults);
  }
  auto loaded = load_in_time(with.sources, with.defaults);
  if (loaded && loaded->problems.empty()) {
    return std::move(*loaded);
  }
  auto old = upcased::unpack_settings(with.inherited.settings.get(), with.defaults, journal);
  if (!old) {
    return loaded ? std::move(*loaded) : upcase::load_settings(with.sources, with.defaults);
  }
  with.still_to_be_read = !loaded;
  with.refused = loaded ? std::move(loaded->problems)
                        : std::vector<std::string>{
                              "it is still being read; a file or a name "
                              "service does not answer"};
  return {.value = std::move(*old), .problems = {}, .warnings = {}};
}

int run(const upcased::command& command, std::vector<std::string> argv,
        upcased::inheritance inherited, upcase::log& journal) {
  if (command.what == action::help) {
    fmt::print("{}", upcased::help_text());
    return EX_OK;
  }
  if (command.what == action::version) {
    fmt::print("upcased {}\n", UPCASE_VERSION);
    return EX_OK;
  }
  if (command.what != action::serve) {
    return upcased::examine(command, journal);
  }
  upcased::beginning with{.config = {},
                          .refused = {},
                          .sources = command.sources,
                          .defaults = upcase::default_settings(upcase::daemon_runtime_directory()),
                          .argv = std::move(argv),
                          .inherited = std::move(inherited)};
  auto loaded = load(with, journal);
  if (!loaded.problems.empty()) {
    return upcased::complain_about(journal, loaded);
  }
  journal.set_threshold(loaded.value.level);
  upcased::tell_warnings(journal, loaded.warnings);
  with.config = std::move(loaded.value);
  return upcased::serve(std::move(with), journal);
}

int run(int argc, char** argv, upcased::inheritance inherited, upcase::log& journal) {
  try {
    const upcased::command command = parse(argc, argv, inherited);
    const int code = run(command, {argv, argv + argc}, std::move(inherited), journal);
    return upcase::flush_output() ? code
                                  : fail(journal, EX_IOERR, "cannot write to standard output");
  } catch (const upcased::usage_error& error) {
    return fail(journal, EX_USAGE, fmt::format("{}; see 'upcased --help'", error.what()));
  } catch (const upcased::start_error& error) {
    return fail(journal, error.exit_code, error.what());
  } catch (const std::exception& error) {
    return fail(journal, EX_OSERR, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  upcased::block_signals();
  if (!upcase::occupy_standard_streams()) {
    return EX_OSERR;
  }
  try {
    // First of all: what the environment names is not yet anything of ours.
    upcased::inheritance inherited = upcased::take_inheritance();
    return run(argc, argv, std::move(inherited), *upcase::open_log());
  } catch (const std::exception& error) {
    upcase::complain(fmt::format("upcased: {}", error.what()));
    return EX_OSERR;
  }
}
