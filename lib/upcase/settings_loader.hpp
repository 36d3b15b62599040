// settings_loader: from files and a command line to one value, or to a list
// of everything that is wrong with them.
//
// Command line beats drop-ins beat file beats default. A repeatable key adds
// up over the files ("key =" with nothing after it forgets what came before,
// as in systemd's units); given on the command line, it replaces what the
// files say. No error hides another: an administrator mends a file once.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <upcase/configuration_path.hpp>
#include <upcase/settings.hpp>
#include <utility>
#include <vector>

namespace upcase {

struct setting_sources {
  /// Read with its drop-ins, `<config>.d/*.conf` in name order; empty: none is.
  std::filesystem::path config = default_configuration();
  /// A named file must exist; the default one need not.
  bool config_required = false;
  /// Key and value, as given on the command line, in its order.
  std::vector<std::pair<std::string, std::string>> command_line;
  /// What is wrong with the command line itself; among the problems of each load.
  std::vector<std::string> problems = {};
};

struct loaded_settings {
  settings value;
  /// "file:line: key: reason", each a line for people. Empty: all is well.
  std::vector<std::string> problems;
  /// All problems there are may pass without a change to the configuration: the
  /// name service failed, or there was no memory or no descriptor to read a file.
  bool may_pass = false;
  /// What is no error, but should not be so: files that others may write.
  std::vector<std::string> warnings;
};

/// Of the daemon that is to serve by the settings, where it is not this process.
struct daemon_facts {
  std::optional<uid_t> user = {};               ///< who runs it
  std::optional<std::size_t> descriptors = {};  ///< its hard RLIMIT_NOFILE
};

/// Reads and parses everything over `defaults`, then examines what the
/// settings point at. Creates nothing. Waits for files and for the name service,
/// which may take long.
loaded_settings load_settings(const setting_sources& sources, settings defaults,
                              const daemon_facts& daemon = {});

/// One line of a file.
struct assignment {
  std::string where;  ///< "file:line"
  std::string key;
  std::string value;
};

/// Splits a file's text into its assignments; what is none becomes a problem.
std::vector<assignment> parse_settings_text(std::string_view text, const std::string& file,
                                            std::vector<std::string>& problems);

}  // namespace upcase
