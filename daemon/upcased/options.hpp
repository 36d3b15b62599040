// options: what the administrator asks of this start of upcased.

#pragma once

#include <stdexcept>
#include <string>
#include <upcase/settings_loader.hpp>

namespace upcased {

struct command {
  enum class action { serve, check, print_config, version, help };
  action what = action::serve;
  upcase::setting_sources sources;
  bool config_named = false;  ///< by --config
  std::string unit;           ///< whose settings are asked for; empty: nobody said
};

/// The command line is wrong; `what()` says in one sentence how.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Understands the options' names; what a setting's value means is for
/// load_settings to say. Throws usage_error.
command parse_command_line(int argc, const char* const* argv);

/// For --help.
std::string help_text();

}  // namespace upcased
