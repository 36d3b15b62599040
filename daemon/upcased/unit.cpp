// unit: `systemctl show`, and what its properties mean.

#include "unit.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <poll.h>
#include <sstream>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>
#include <upcase/system_calls.hpp>

#include "child.hpp"

namespace upcased {
namespace {

using manager = upcase::service_unit::manager;
using properties = std::map<std::string, std::string>;

constexpr std::chrono::seconds patience{5};

constexpr const char* wanted_properties =
    "--property=Id,LoadState,ActiveState,UnitFileState,MainPID,User,ExecStart,RuntimeDirectory,"
    "LimitNOFILE,ProtectSystem,PrivateTmp,ReadWritePaths";

// Up to its end; nothing if that does not come in time, since half an answer is wrong.
std::string read_all(int pipe) {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::string text;
  std::array<char, 4096> chunk{};
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready{.fd = pipe, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) != 1) {
      return {};
    }
    const ssize_t got = ::read(pipe, chunk.data(), chunk.size());
    if (got <= 0) {
      return got == 0 ? text : "";
    }
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

std::string output_of(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return {};
  }
  const upcase::file_descriptor reading(ends[0]);
  upcase::file_descriptor writing(ends[1]);
  pid_t pid = -1;
  const int error = start_child({.program = argv.front(),
                                 .argv = argv,
                                 .output = writing.get(),
                                 .silent = true,
                                 .environment = {}},
                                pid);
  writing.reset();
  if (error != 0) {
    return {};
  }
  std::string text = read_all(reading.get());
  ::kill(pid, SIGKILL);  // if it has not come to an end
  ::waitpid(pid, nullptr, 0);
  return text;
}

properties show(manager kept_by, const std::string& name) {
  std::vector<std::string> argv{"systemctl"};
  if (kept_by == manager::user) {
    argv.emplace_back("--user");
  }
  argv.insert(argv.end(), {"show", "--no-pager", wanted_properties, "--", name});
  std::istringstream lines(output_of(argv));
  properties result;
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) {
      result.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  return result;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) {
    result.push_back(word);
  }
  return result;
}

// "{ path=... ; argv[]=PROGRAM ARGUMENT... ; ignore_errors=... }". Blanks inside of
// an argument are not told from those between two.
std::vector<std::string> arguments_of(std::string_view exec) {
  constexpr std::string_view begin = "argv[]=";
  const std::size_t at = exec.find(begin);
  if (at == std::string_view::npos) {
    return {};
  }
  exec.remove_prefix(at + begin.size());
  auto words = words_of(std::string(exec.substr(0, exec.find(" ; "))));
  if (!words.empty()) {
    words.erase(words.begin());
  }
  return words;
}

// 0 for "infinity", too.
std::size_t number(const std::string& text) {
  std::size_t result = 0;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

std::vector<std::filesystem::path> paths_of(const std::string& text) {
  std::vector<std::filesystem::path> result;
  for (const std::string& word : words_of(text)) {
    result.emplace_back(word.substr(std::min(word.find('/'), word.size())));
  }
  return result;
}

bool is_active(const properties& of) {
  const auto state = of.find("ActiveState");
  return state != of.end() && state->second != "inactive" && state->second != "failed";
}

std::filesystem::path runtime_directory_of(manager kept_by, const std::string& names) {
  const auto words = words_of(names);
  if (words.empty()) {
    return {};
  }
  const std::filesystem::path base =
      kept_by == manager::user ? upcase::environment("XDG_RUNTIME_DIR") : "/run";
  return base / words.front();
}

}  // namespace

upcase::service_unit unit::keeper() const {
  constexpr std::string_view ending = ".service";
  return {.kept_by = kept_by, .name = name.substr(0, name.size() - ending.size())};
}

std::string unit::description() const {
  return fmt::format("{}{} ({})", kept_by == manager::user ? "the user unit " : "", name,
                     pid > 0 ? fmt::format("running, pid {}", pid) : "not running");
}

std::optional<unit> find_unit(const upcase::service_unit& wanted) {
  properties found = show(wanted.kept_by, wanted.name + ".service");
  if (found["LoadState"] != "loaded" || !found.contains("User")) {
    return std::nullopt;
  }
  const bool listens = is_active(show(wanted.kept_by, wanted.name + ".socket"));
  return unit{.kept_by = wanted.kept_by,
              .name = found["Id"],
              .enabled = listens || is_active(found) || found["UnitFileState"] == "enabled",
              .listens = listens,
              .pid = static_cast<pid_t>(number(found["MainPID"])),
              .user = found["User"],
              .arguments = arguments_of(found["ExecStart"]),
              .runtime_directory = runtime_directory_of(wanted.kept_by, found["RuntimeDirectory"]),
              .descriptors = number(found["LimitNOFILE"]),
              .strict = found["ProtectSystem"] == "strict",
              .private_tmp = found["PrivateTmp"] == "yes",
              .writable = paths_of(found["ReadWritePaths"])};
}

}  // namespace upcased
