// unit: what systemd knows of the unit under which a daemon runs, or would run.
//
// Asked of systemctl(1), which reaches the manager with and without a message bus.
// Where it is not installed or reaches none, there is no unit.

#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <upcase/service_unit.hpp>
#include <vector>

namespace upcased {

struct unit {
  upcase::service_unit::manager kept_by;
  std::string name;                             ///< "upcased.service"
  bool enabled = false;                         ///< or active
  bool listens = false;                         ///< its socket unit does
  pid_t pid = 0;                                ///< of its daemon; 0: it does not run
  std::string user;                             ///< User=; empty: the manager's
  std::vector<std::string> arguments;           ///< of its command line, without the program
  std::filesystem::path runtime_directory;      ///< empty: it has none
  std::size_t descriptors = 0;                  ///< LimitNOFILE=
  bool strict = false;                          ///< ProtectSystem=strict
  bool private_tmp = false;                     ///< PrivateTmp=
  std::vector<std::filesystem::path> writable;  ///< ReadWritePaths=

  [[nodiscard]] upcase::service_unit keeper() const;

  /// For people: "upcased.service (running, pid 7)".
  [[nodiscard]] std::string description() const;
};

/// Nothing if the manager knows no such service, or if there is no manager. Waits a
/// few seconds at most.
std::optional<unit> find_unit(const upcase::service_unit& wanted);

}  // namespace upcased
