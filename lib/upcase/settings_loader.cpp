// settings_loader: reads, applies layer by layer, then examines the result.

#include <upcase/settings_loader.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <upcase/client_directory.hpp>
#include <upcase/setting_keys.hpp>
#include <upcase/settings_file.hpp>
#include <upcase/shortage.hpp>
#include <upcase/system_calls.hpp>
#include <variant>

namespace upcase {
namespace {

constexpr const char* from_command_line = "command line";

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\v\f";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

class loader {
 public:
  loader(settings defaults, const daemon_facts& daemon)
      : defaults_(std::move(defaults)), daemon_(daemon), value_(defaults_) {
    // The default list is what holds when nobody says anything.
    value_.client_directories.clear();
  }

  void read(const std::filesystem::path& path, bool required) {
    if (std::error_code ignored; std::filesystem::is_fifo(path, ignored)) {
      problems_.push_back(
          fmt::format("{}: is a pipe, which a reload could not read again; name a regular file",
                      path.native()));
      return;
    }
    auto content = read_settings_file(path, daemon_user(), warnings_);
    if (const auto* error = std::get_if<std::error_code>(&content)) {
      if (required || *error != std::errc::no_such_file_or_directory) {
        problems_.push_back(fmt::format("{}: cannot read the configuration file: {}", path.native(),
                                        error->message()));
        passing_ += is_shortage(error->value()) ? 1 : 0;
      }
      return;
    }
    std::map<std::string, std::string> seen;
    for (const assignment& line :
         parse_settings_text(std::get<std::string>(content), path.native(), problems_)) {
      const auto [first, fresh] = seen.emplace(line.key, line.where);
      const setting_key* key = find_setting(line.key);
      if (!fresh && key != nullptr && !key->repeatable()) {
        complain(line, fmt::format("set twice in one file, first at {}; keep one", first->second));
        continue;
      }
      apply(line);
    }
  }

  void read_drop_ins(const std::filesystem::path& directory) {
    examine_directory(directory);
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".conf") {
        files.push_back(entry->path());
      }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      problems_.push_back(fmt::format("{}: cannot list the drop-in directory: {}",
                                      directory.native(), error.message()));
      passing_ += is_shortage(error.value()) ? 1 : 0;
    }
    std::ranges::sort(files);
    for (const auto& file : files) {
      read(file, true);
    }
  }

  void examine_directory(const std::filesystem::path& path) {
    examine_settings_directory(path, daemon_user(), warnings_);
  }

  void take_command_line(const std::vector<std::pair<std::string, std::string>>& options) {
    std::set<std::string> replaced;
    for (const auto& [name, text] : options) {
      const setting_key* key = find_setting(name);
      if (key != nullptr && key->repeatable() && replaced.insert(name).second) {
        key->clear(value_);
      }
      apply({.where = from_command_line, .key = name, .value = text});
    }
  }

  loaded_settings finish() {
    if (value_.client_directories.empty()) {
      value_.client_directories = defaults_.client_directories;
    }
    examine_socket();
    examine_client_directories();
    examine_limits();
    const bool may_pass = !problems_.empty() && problems_.size() == passing_;
    return {.value = std::move(value_),
            .problems = std::move(problems_),
            .may_pass = may_pass,
            .warnings = std::move(warnings_)};
  }

 private:
  void complain(const assignment& line, std::string_view reason) {
    problems_.push_back(fmt::format("{}: {}: '{}': {}", line.where, line.key, line.value, reason));
  }

  void apply(const assignment& line) {
    const setting_key* key = find_setting(line.key);
    if (key == nullptr) {
      const std::string_view meant = nearest_setting(line.key);
      complain(line, meant.empty() ? std::string("no such setting; 'upcased --help' lists them all")
                                   : fmt::format("no such setting; did you mean '{}'?", meant));
      return;
    }
    origins_[line.key] = line.where;
    if (line.value.empty() && key->repeatable()) {
      key->clear(value_);
      return;
    }
    try {
      key->set(value_, line.value);
    } catch (const unavailable_value& failure) {
      complain(line, failure.what());
      ++passing_;
    } catch (const bad_value& wrong) {
      complain(line, wrong.what());
    }
  }

  // A problem that shows only when the value meets the machine.
  void complain_about(const std::string& key, std::string_view value, std::string_view reason) {
    const auto origin = origins_.find(key);
    complain({.where = origin == origins_.end() ? "default" : origin->second,
              .key = key,
              .value = std::string(value)},
             reason);
  }

  void examine_socket() {
    const std::string& path = value_.socket.native();
    if (path.size() > longest_socket_path) {
      complain_about("socket", path,
                     fmt::format("a socket's path may have {} bytes, this has {}",
                                 longest_socket_path, path.size()));
      return;
    }
    struct stat status {};
    // Where a socket is already, somebody has made it there for us.
    if (::lstat(path.c_str(), &status) != 0) {
      examine_parent("socket", value_.socket);
    } else if (!S_ISSOCK(status.st_mode)) {
      complain_about("socket", path,
                     S_ISDIR(status.st_mode)
                         ? "is a directory; name a socket file in it"
                         : "exists and is not a socket; it stays untouched, name another path");
    }
  }

  // Whether start will be able to make something at `path`. The runtime
  // directory is made by itself.
  void examine_parent(const std::string& key, const std::filesystem::path& path) {
    const std::filesystem::path parent = path.parent_path();
    // What another user may write, the kernel does not tell us.
    const bool answers = daemon_user() == ::geteuid() || ::geteuid() == 0;
    if (answers && parent != defaults_.socket.parent_path() &&
        ::faccessat(AT_FDCWD, parent.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
      complain_about(key, path.native(),
                     fmt::format("nothing can be made in its directory: {}", describe(errno)));
    }
  }

  void examine_client_directories() {
    if (value_.credentials.source != credential_source::file) {
      return;
    }
    for (const auto& path : value_.client_directories) {
      // A missing one is made at start.
      if (struct stat status{}; ::stat(path.c_str(), &status) != 0 && errno == ENOENT) {
        examine_parent("client-directory", path);
        continue;
      }
      const auto opened = client_directory::open(path, daemon_user());
      if (const auto* reason = std::get_if<std::string>(&opened)) {
        complain_about("client-directory", path.native(), *reason);
      }
    }
  }

  // Who runs the daemon, as far as that shows: root also checks configurations
  // for a daemon that is not root's, whose runtime directory is there then.
  [[nodiscard]] uid_t daemon_user() const {
    if (daemon_.user) {
      return *daemon_.user;
    }
    struct stat runtime {};
    const bool somebody_elses =
        ::geteuid() == 0 && ::stat(defaults_.socket.parent_path().c_str(), &runtime) == 0;
    return somebody_elses ? runtime.st_uid : ::geteuid();
  }

  void examine_limits() {
    const std::size_t descriptors = daemon_.descriptors.value_or(descriptor_limit());
    const std::size_t room = clients_that_fit(descriptors, value_);
    if (!origins_.contains("max-clients")) {
      value_.max_clients = room;
    } else if (value_.max_clients > room) {
      complain_about("max-clients", std::to_string(value_.max_clients),
                     fmt::format("only {} fit in the hard limit of {} open files (ulimit -Hn, "
                                 "LimitNOFILE=) of which the daemon keeps {}",
                                 room, descriptors, reserved_descriptors(value_)));
    }
  }

  settings defaults_;
  daemon_facts daemon_;
  settings value_;
  std::map<std::string, std::string> origins_;  // key to where it was last set
  std::vector<std::string> problems_;
  std::vector<std::string> warnings_;
  std::size_t passing_ = 0;  // how many of them may pass
};

}  // namespace

std::vector<assignment> parse_settings_text(std::string_view text, const std::string& file,
                                            std::vector<std::string>& problems) {
  std::vector<assignment> result;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::string where = fmt::format("{}:{}", file, number);
    const std::size_t equals = line.find('=');
    const std::string_view key = trim(line.substr(0, equals));
    const bool printable = std::ranges::none_of(
        line, [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7F; });
    if (!printable) {
      problems.push_back(fmt::format("{}: a control character; this is no text file", where));
    } else if (equals == std::string_view::npos || key.empty()) {
      problems.push_back(
          fmt::format("{}: '{}': a line is 'key = value', or begins with '#'", where, line));
    } else {
      result.push_back({.where = where,
                        .key = std::string(key),
                        .value = std::string(trim(line.substr(equals + 1)))});
    }
  }
  return result;
}

loaded_settings load_settings(const setting_sources& sources, settings defaults,
                              const daemon_facts& daemon) {
  loader load(std::move(defaults), daemon);
  if (!sources.config.empty()) {
    load.examine_directory(sources.config.has_parent_path() ? sources.config.parent_path() : ".");
    load.read(sources.config, sources.config_required);
    load.read_drop_ins(sources.config.native() + ".d");
  }
  load.take_command_line(sources.command_line);
  loaded_settings result = load.finish();
  result.problems.insert(result.problems.begin(), sources.problems.begin(), sources.problems.end());
  result.may_pass = result.may_pass && sources.problems.empty();
  return result;
}

}  // namespace upcase
