// process_tree: reads /proc.

#include "process_tree.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <unordered_map>

namespace bench {
namespace {

struct process_status {
  pid_t parent = 0;
  std::chrono::nanoseconds ended_children{};
};

// proc(5): "pid (name) state ppid ...", and a name may hold anything.
std::optional<process_status> status_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(file, text)) {
    return std::nullopt;  // it has ended meanwhile
  }
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string field;
  process_status result;
  long ticks = 0;
  for (int number = 3; fields >> field; ++number) {
    if (number == 4) {
      result.parent = std::stoi(field);
    } else if (number == 16 || number == 17) {
      ticks += std::stol(field);
    }
  }
  result.ended_children =
      std::chrono::nanoseconds(std::chrono::seconds(1)) * ticks / ::sysconf(_SC_CLK_TCK);
  return result;
}

std::chrono::nanoseconds own_time(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    return {};
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::unordered_multimap<pid_t, pid_t> children_by_parent() {
  std::unordered_multimap<pid_t, pid_t> result;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid == 0) {
      continue;
    }
    if (const auto status = status_of(pid)) {
      result.emplace(status->parent, pid);
    }
  }
  return result;
}

// "Rss:    1234 kB"
std::uint64_t kilobytes(std::string_view line) {
  const std::size_t digits = line.find_first_of("0123456789");
  std::uint64_t value = 0;
  if (digits != std::string_view::npos) {
    std::from_chars(line.data() + digits, line.data() + line.size(), value);
  }
  return value * 1024;
}

}  // namespace

std::vector<pid_t> process_tree::members() const {
  const auto children = children_by_parent();
  std::vector<pid_t> result{root_};
  for (std::size_t next = 0; next < result.size(); ++next) {
    const auto [begin, end] = children.equal_range(result[next]);
    std::for_each(begin, end, [&](const auto& child) { result.push_back(child.second); });
  }
  return result;
}

std::chrono::nanoseconds process_tree::processor_time() const {
  std::chrono::nanoseconds sum{};
  for (const pid_t pid : members()) {
    if (const auto status = status_of(pid)) {
      sum += status->ended_children;
    }
    sum += own_time(pid);
  }
  return sum;
}

memory_use process_tree::memory() const {
  memory_use sum;
  for (const pid_t pid : members()) {
    std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("Rss:")) {
        sum.resident += kilobytes(line);
      } else if (line.starts_with("Anonymous:")) {
        sum.anonymous += kilobytes(line);
      }
    }
  }
  if (sum.resident == 0) {
    throw std::runtime_error(fmt::format("cannot read the memory of process {}", root_));
  }
  return sum;
}

}  // namespace bench
