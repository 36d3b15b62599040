// successor: from one daemon to the next, by exec or as a service manager does it.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <upcase/file_descriptor.hpp>
#include <vector>

#include "support/daemon.hpp"
#include "support/notify_socket.hpp"
#include "support/passed_descriptors.hpp"
#include "support/temporary_directory.hpp"

namespace test {

/// A client that is in.
upcase::file_descriptor bring_in(const daemon& server);

/// SIGUSR2, and whether a daemon without a store then serves once more.
bool hand_over(daemon& server);

/// A restart as systemd does it, by what stands in the store in between. What is
/// expected of it is required.
struct restarting_manager {
  notify_socket manager;

  /// For a daemon that has a store, and its socket and directory by default.
  [[nodiscard]] daemon::options with_store(std::string config) const;

  /// Until it has stored everything and ended.
  void end(daemon& server);
  /// With what is in the store, and these arguments, until it serves.
  void begin(daemon& server, const std::vector<std::string>& arguments = {});
  void restart(daemon& server);

  std::vector<passed_descriptor> passed();
  /// Another descriptor in place of the stored one of this name; or none.
  void replace(const std::string& name, upcase::file_descriptor with);
  void drop(const std::string& name);
};

/// A copy of the daemon's program, which can be replaced.
class replaceable_program {
 public:
  replaceable_program();
  [[nodiscard]] std::filesystem::path path() const { return place_.path() / "upcased"; }

  /// By a script, as a package manager does it: it runs `check` where it is only
  /// to check, which is then in order, or else `start`, and the true program.
  void become(std::string_view check, std::string_view start) const;

 private:
  temporary_directory place_;
};

}  // namespace test
