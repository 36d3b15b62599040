// service: the life of one daemon process, from its settings to its end.

#pragma once

#include <string>
#include <upcase/log.hpp>
#include <upcase/settings_loader.hpp>
#include <vector>

#include "inheritance.hpp"

namespace upcased {

/// What a process begins with.
struct beginning {
  upcase::settings config;
  /// Why `config` is a predecessor's and not what `sources` say; empty: it is.
  std::vector<std::string> refused;
  /// Whether that is because they were not read in time: they are then read again.
  bool still_to_be_read = false;
  upcase::setting_sources sources;
  upcase::settings defaults;
  std::vector<std::string> argv;  ///< its command line, and a successor's
  inheritance inherited;
};

/// Serves until SIGTERM or SIGINT has been obeyed: the first lets every client
/// finish what it sent, a second ends at once. SIGHUP loads the sources over the
/// defaults again; if anything is wrong with them, nothing changes. SIGUSR2 hands
/// the clients over to a successor (succession.hpp); clients that a predecessor
/// has handed over are taken over. With a predecessor, nothing that they can do
/// without keeps this process from serving them; it is told in the log and in the
/// status. Listens on the service manager's socket if it brought one, and keeps
/// it informed. Returns the exit code; throws start_error.
int serve(beginning with, upcase::log& journal);

}  // namespace upcased
