// upcased: the daemon. Options, settings, service, and what each failure means
// to the caller (sysexits.h).

#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <sysexits.h>
#include <upcase/runtime_directory.hpp>
#include <upcase/setting_keys.hpp>
#include <upcase/settings_loader.hpp>
#include <upcase/stderr_log.hpp>

#include "options.hpp"
#include "service.hpp"
#include "start_error.hpp"

namespace {

using action = upcased::command::action;

int run(const upcased::command& command) {
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
    fmt::print(stderr, "{}\n", problem);
  }
  if (!loaded.problems.empty()) {
    return EX_CONFIG;
  }
  if (command.what == action::check) {
    fmt::print("upcased: the configuration is in order\n");
    return EX_OK;
  }
  if (command.what == action::print_config) {
    fmt::print("{}", upcase::print_settings(loaded.value));
    return EX_OK;
  }
  upcase::stderr_log journal;
  journal.set_threshold(loaded.value.level);
  upcased::serve(std::move(loaded.value), command.sources, defaults, journal);
  return EX_OK;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(upcased::parse_command_line(argc, argv));
  } catch (const upcased::usage_error& error) {
    fmt::print(stderr, "upcased: {}; see 'upcased --help'\n", error.what());
    return EX_USAGE;
  } catch (const upcased::start_error& error) {
    fmt::print(stderr, "upcased: {}\n", error.what());
    return error.exit_code;
  } catch (const std::exception& error) {
    fmt::print(stderr, "upcased: {}\n", error.what());
    return EX_OSERR;
  }
}
