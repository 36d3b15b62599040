// slow_file_system: a file system that answers when the test likes, as one on a
// network may: a FUSE server in the test's own process (fuse(4)).

#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <upcase/file_descriptor.hpp>
#include <vector>

struct fuse_in_header;

namespace test {

/// One directory, mode 1777, in which sockets can be bound. Its names are asked for
/// anew each time.
class slow_file_system {
 public:
  /// Mounts it over `directory`, until it is destroyed.
  explicit slow_file_system(const std::filesystem::path& directory);
  slow_file_system(const slow_file_system&) = delete;
  slow_file_system& operator=(const slow_file_system&) = delete;
  /// Whoever waits for an answer gets an error.
  ~slow_file_system();

  /// False without root, or without /dev/fuse.
  [[nodiscard]] bool mounted() const noexcept { return mounted_; }

  /// From now on questions for a file's name wait for an answer.
  void hold() { held_ = true; }
  void go_on();

  /// How many wait.
  [[nodiscard]] std::size_t waiting() const;

  /// Whether there is such a file; asks no question.
  [[nodiscard]] bool holds(const std::string& name) const;

 private:
  struct file {
    std::uint64_t node;
    std::uint32_t owner;
    std::uint32_t mode;
  };
  struct question {
    std::uint64_t id;
    std::string name;
  };

  void serve(const std::stop_token& end);
  void answer(const fuse_in_header& asked, const char* body);
  void look_up(std::uint64_t id, const std::string& name);
  void reply(std::uint64_t id, const void* body, std::size_t size, int error = 0) const;

  std::filesystem::path directory_;
  upcase::file_descriptor device_;
  bool mounted_ = false;
  std::atomic<bool> held_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, file> files_;
  std::vector<question> waiting_;
  std::uint64_t last_node_ = 1;  // the directory's
  std::jthread thread_;
};

}  // namespace test
