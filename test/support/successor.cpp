// successor: SIGUSR2, wait, start.

#include "support/successor.hpp"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>

#include "support/client.hpp"

namespace test {
namespace {

// Whether it says so once more than `before`; if it ends, it does not.
bool serves(daemon& server, std::size_t before) {
  return server.comes_to("a successor", [&] { return server.count("state=serving") > before; });
}

void require(bool condition, const daemon& server) {
  if (!condition) {
    throw std::runtime_error("the restart failed:\n" + server.log());
  }
}

}  // namespace

upcase::file_descriptor bring_in(const daemon& server) {
  auto client = server.connect();
  require(served(client.get()), server);
  return client;
}

bool hand_over(daemon& server) {
  const std::size_t before = server.count("state=serving");
  server.signal(SIGUSR2);
  return serves(server, before);
}

daemon::options restarting_manager::with_store(std::string config) const {
  return {.bare = true,
          .config = std::move(config),
          .environment = {manager.variable(), "UPCASED_FDSTORE=8"}};
}

void restarting_manager::end(daemon& server) {
  server.signal(SIGUSR2);
  eventually([&] {
    manager.messages();
    return server.wait(0ns).has_value();
  });
  require(server.wait(0ns) == 75, server);
}

void restarting_manager::begin(daemon& server, const std::vector<std::string>& arguments) {
  const std::size_t before = server.count("state=serving");
  server.start_with(passed(), arguments);
  require(serves(server, before), server);
}

void restarting_manager::restart(daemon& server) {
  end(server);
  begin(server);
}

std::vector<passed_descriptor> restarting_manager::passed() {
  std::vector<passed_descriptor> result;
  for (const auto& each : manager.store()) {
    result.push_back({each.name, each.fd.get()});
  }
  return result;
}

void restarting_manager::replace(const std::string& name, upcase::file_descriptor with) {
  for (auto& each : manager.store()) {
    if (each.name == name) {
      each.fd = std::move(with);
    }
  }
}

void restarting_manager::drop(const std::string& name) {
  std::erase_if(manager.store(), [&](const auto& each) { return each.name == name; });
}

replaceable_program::replaceable_program() { std::filesystem::copy_file(UPCASED_PROGRAM, path()); }

void replaceable_program::become(std::string_view check, std::string_view start) const {
  const auto fresh = place_.path() / "new";
  write_file(fresh, fmt::format("#!/bin/bash\n"
                                "case \"$*\" in\n"
                                "  *--check) {}; exit 0 ;;\n"
                                "esac\n"
                                "{}\n"
                                "exec {} \"$@\"\n",
                                check, start, UPCASED_PROGRAM));
  std::filesystem::permissions(fresh, std::filesystem::perms::owner_all);
  std::filesystem::rename(fresh, path());
}

}  // namespace test
