// daemon: a running upcased in a temporary directory.

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <upcase/file_descriptor.hpp>
#include <vector>

#include "support/passed_descriptors.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace test {

/// $UPCASE_TEST_THREADS event loops where a test does not say, else one: so
/// that one suite covers both.
class daemon {
 public:
  struct options {
    /// More options for upcased; socket and client directory are given.
    std::vector<std::string> arguments = {};
    /// Without --socket and --client-directory, which are then in the runtime
    /// directory, and may be configured.
    bool bare = false;
    /// Text of the configuration file; nothing: no file.
    std::optional<std::string> config = {};
    /// As in process_options.
    std::function<bool()> before_exec = {};
    std::vector<std::string> environment = {};
    std::filesystem::path program = UPCASED_PROGRAM;
  };

  /// Starts upcased and returns once it serves; throws if it does not.
  daemon();
  explicit daemon(options given);

  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return place_.path(); }
  [[nodiscard]] std::filesystem::path socket() const { return directory() / "upcased.sock"; }
  [[nodiscard]] std::filesystem::path clients() const { return directory() / "clients"; }
  [[nodiscard]] std::filesystem::path config() const { return directory() / "upcased.conf"; }
  [[nodiscard]] pid_t pid() const noexcept { return process_->pid(); }

  /// Everything it has logged since the test began.
  [[nodiscard]] std::string log() const;
  /// A client as it should be, connected.
  upcase::file_descriptor connect() const;

  /// Waits until `condition`, which is about `what`, holds; not if the daemon ends
  /// first. A failure is reported with the log.
  [[nodiscard]] bool comes_to(std::string_view what, const std::function<bool()>& condition,
                              std::chrono::nanoseconds limit = patience_left()) const;
  /// Waits until the log holds `text`, so often at least.
  [[nodiscard]] bool logged(std::string_view text, std::size_t times = 1,
                            std::chrono::nanoseconds limit = patience_left()) const;
  /// How often the log holds `text` now.
  [[nodiscard]] std::size_t count(std::string_view text) const;

  void signal(int number) const { process_->signal(number); }
  [[nodiscard]] bool running() const { return process_->running(); }
  std::optional<int> wait(std::chrono::nanoseconds limit = patience_left());
  /// SIGTERM, and the exit code.
  std::optional<int> stop();
  /// SIGHUP, and whether a reload was done or refused since.
  bool reload();
  /// kill -9.
  void kill();
  /// Starts it again after it has ended, in the same place.
  void start();
  /// As a service manager does that passes descriptors (sd_listen_fds(3)). With
  /// further arguments it may end at once.
  void start_with(const std::vector<passed_descriptor>& passed,
                  const std::vector<std::string>& arguments = {});

 private:
  void launch(process_options child, const std::vector<std::string>& arguments);
  void wait_until_serving(std::size_t before);

  options options_;
  temporary_directory place_;
  std::optional<process> process_;
};

}  // namespace test
