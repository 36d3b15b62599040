// upcased: the daemon. Options, settings, service, and what each failure means
// to the caller (sysexits.h).

#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <sysexits.h>
#include <upcase/journal_log.hpp>
#include <upcase/runtime_directory.hpp>
#include <upcase/setting_keys.hpp>
#include <upcase/settings_loader.hpp>
#include <upcase/standard_streams.hpp>
#include <upcase/stderr_log.hpp>

#include "options.hpp"
#include "preparation.hpp"
#include "service.hpp"
#include "signals.hpp"
#include "start_error.hpp"

namespace {

using action = upcased::command::action;

// What is wrong before the daemon serves: a sentence for people, and in the
// journal an event that its catalogue explains.
void complain(upcase::log& journal, const std::string& sentence, upcase::log_fields fields) {
  if (upcase::stderr_is_journal()) {
    journal.write(upcase::log_level::error, upcase::event::status, fields);
  } else {
    upcase::complain(sentence);
  }
}

int fail(upcase::log& journal, int code, const std::string& reason) {
  complain(journal, "upcased: " + reason,
           {{"state", "failed"}, {"reason", reason}, {"exit-code", code}});
  return code;
}

int run(const upcased::command& command, std::vector<std::string> argv, upcase::log& journal) {
  if (command.what == action::help) {
    fmt::print("{}", upcased::help_text());
    return EX_OK;
  }
  if (command.what == action::version) {
    fmt::print("upcased {}\n", UPCASE_VERSION);
    return EX_OK;
  }
  const auto defaults = upcase::default_settings(upcase::daemon_runtime_directory());
  auto loaded = upcase::load_settings(command.sources, defaults);
  for (const std::string& problem : loaded.problems) {
    complain(journal, problem, {{"configuration", "refused"}, {"problem", problem}});
  }
  if (!loaded.problems.empty()) {
    return loaded.may_pass ? EX_OSERR : EX_CONFIG;
  }
  if (command.what == action::check) {
    for (const std::string& warning : loaded.warnings) {
      upcase::complain("warning: " + warning);
    }
    fmt::print("upcased: the configuration is in order\n");
    return EX_OK;
  }
  if (command.what == action::print_config) {
    fmt::print("{}", upcase::print_settings(loaded.value));
    return EX_OK;
  }
  journal.set_threshold(loaded.value.level);
  upcased::tell_warnings(journal, loaded.warnings);
  return upcased::serve(std::move(loaded.value), command.sources, defaults, std::move(argv),
                        journal);
}

int run(int argc, char** argv, upcase::log& journal) {
  try {
    const int code = run(upcased::parse_command_line(argc, argv), {argv, argv + argc}, journal);
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
    return run(argc, argv, *upcase::open_log());
  } catch (const std::exception& error) {
    upcase::complain(fmt::format("upcased: {}", error.what()));
    return EX_OSERR;
  }
}
