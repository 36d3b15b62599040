// service: the life of one daemon process, from its settings to its end.

#pragma once

#include <stdexcept>
#include <string>
#include <upcase/log.hpp>
#include <upcase/settings_loader.hpp>

namespace upcased {

/// The daemon cannot start; carries the exit code (sysexits.h) that says so.
struct start_error : std::runtime_error {
  start_error(int code, const std::string& sentence)
      : std::runtime_error(sentence), exit_code(code) {}
  int exit_code;
};

/// Serves with `config` until SIGTERM or SIGINT has been obeyed: the first
/// lets every client finish what it sent, a second ends at once. SIGHUP loads
/// `sources` over `defaults` again; if anything is wrong with them, nothing
/// changes. Throws start_error.
void serve(upcase::settings config, const upcase::setting_sources& sources,
           const upcase::settings& defaults, upcase::log& journal);

}  // namespace upcased
