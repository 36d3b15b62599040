// inheritance: two sources, one list of names.

#include "inheritance.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <iterator>
#include <sstream>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>
#include <upcase/carrier.hpp>
#include <upcase/system_calls.hpp>
#include <utility>

#include "activation.hpp"

namespace upcased {
namespace {

// "123 name=3 name=4": what a predecessor that exec'd us, and so had our process
// number, has left open.
constexpr const char* variable = "UPCASED_DESCRIPTORS";

void set_close_on_exec(int fd, bool on) noexcept { ::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0); }

std::optional<int> whole_number(std::string_view text) noexcept {
  int value = -1;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end ? std::optional(value) : std::nullopt;
}

// One that is left open across exec(2), as `bequeath` does it; close-on-exec has
// it been taken.
std::optional<passed_descriptor> bequeathed(std::string_view entry) {
  const auto equals = entry.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return std::nullopt;
  }
  const auto fd = whole_number(entry.substr(equals + 1));
  if (!fd || *fd <= STDERR_FILENO || ::fcntl(*fd, F_GETFD) != 0) {
    return std::nullopt;
  }
  set_close_on_exec(*fd, true);
  return passed_descriptor{std::string(entry.substr(0, equals)), upcase::file_descriptor(*fd)};
}

void take_bequeathed(std::vector<passed_descriptor>& into,
                     std::vector<discarded_descriptor>& discarded) {
  std::istringstream words{std::string(upcase::environment(variable))};
  ::unsetenv(variable);  // NOLINT(concurrency-mt-unsafe): before there are threads
  std::string word;
  if (!(words >> word)) {
    return;
  }
  if (whole_number(word) != ::getpid()) {
    discarded.push_back({variable, "it was not set for this process"});
    return;
  }
  while (words >> word) {
    if (auto passed = bequeathed(word)) {
      into.push_back(std::move(*passed));
    } else {
      discarded.push_back({word, "no descriptor that a predecessor left open"});
    }
  }
}

int socket_option(int socket, int option) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

std::string path_of(int socket) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return {};
  }
  return {address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path)};
}

// Takes it, or says why not.
std::optional<start_error> take_listening(listening_socket& into, passed_descriptor& passed) {
  const int fd = passed.fd.get();
  if (into.fd) {
    return start_error(EX_CONFIG, fmt::format("several sockets named '{}' were passed; the daemon "
                                              "listens on one",
                                              passed.name));
  }
  if (socket_option(fd, SO_DOMAIN) != AF_UNIX || socket_option(fd, SO_TYPE) != SOCK_STREAM ||
      socket_option(fd, SO_ACCEPTCONN) != 1) {
    return start_error(EX_CONFIG, fmt::format("the descriptor '{}' that was passed is no listening "
                                              "Unix stream socket; see ListenStream= and "
                                              "FileDescriptorName= of the socket unit",
                                              passed.name));
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    return start_error(EX_OSERR, fmt::format("cannot make the socket '{}' non-blocking: {}",
                                             passed.name, upcase::describe(errno)));
  }
  into.path = path_of(fd);
  into.fd = std::move(passed.fd);
  return std::nullopt;
}

// What stays in `passed` is closed by its owner.
void sort(inheritance& result, passed_descriptor& passed) {
  const auto discard = [&](std::string_view reason) {
    result.discarded.push_back({passed.name, std::string(reason)});
  };
  const auto take_one = [&](upcase::file_descriptor& into) {
    if (into) {
      discard("another of that name was passed");
    } else {
      into = std::move(passed.fd);
    }
  };
  if (passed.name == activated_name) {
    if (const auto problem = take_listening(result.activated, passed)) {
      discard(problem->what());
      result.unusable = *problem;
    }
  } else if (passed.name == listener_name) {
    if (const auto problem = take_listening(result.own, passed)) {
      discard(problem->what());
    }
  } else if (passed.name == lock_name) {
    take_one(result.lock);
  } else if (passed.name == settings_name) {
    take_one(result.settings);
  } else if (passed.name == carrier_name) {
    result.carriers.emplace_back(std::move(passed.fd));
  } else {
    discard("the daemon has no use for this name");
  }
}

}  // namespace

inheritance take_inheritance() {
  inheritance result;
  std::vector<passed_descriptor> all;
  try {
    all = take_passed_descriptors();
  } catch (const start_error& error) {
    result.discarded.push_back({"LISTEN_FDS", error.what()});
    result.unusable = error;
  }
  take_bequeathed(all, result.discarded);
  for (passed_descriptor& passed : all) {
    sort(result, passed);
  }
  result.has_predecessor = result.own.fd || result.settings || !result.carriers.empty();
  return result;
}

void tell_discarded(const inheritance& inherited, upcase::log& journal) {
  for (const auto& [name, reason] : inherited.discarded) {
    journal.write(upcase::log_level::warning, upcase::event::status,
                  {{"descriptor", "closed"}, {"name", name}, {"reason", reason}});
  }
  if (inherited.unusable && !inherited.has_predecessor) {
    throw start_error(*inherited.unusable);
  }
}

upcase::cargo unload(const std::vector<upcase::unsafe_descriptor>& carriers, upcase::log& journal) {
  upcase::cargo all;
  std::size_t lost = 0;
  for (const auto& carrier : carriers) {
    auto [load, lost_here, problem] = upcase::unload_carrier(carrier.get());
    all.served = std::max(all.served, load.served);
    all.refused = std::max(all.refused, load.refused);
    std::ranges::move(load.clients, std::back_inserter(all.clients));
    lost += lost_here;
    if (lost_here > 0) {
      journal.write(upcase::log_level::error, upcase::event::status,
                    {{"taken-over", "no"}, {"clients", lost_here}, {"reason", problem}});
    }
  }
  journal.write(upcase::log_level::info, upcase::event::status,
                {{"taken-over", "yes"}, {"clients", all.clients.size()}, {"lost", lost}});
  return all;
}

void bequeath(const std::vector<named_descriptor>& descriptors) {
  std::string value = std::to_string(::getpid());
  for (const auto& [name, fd] : descriptors) {
    set_close_on_exec(fd, false);
    value += fmt::format(" {}={}", name, fd);
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the other loops do not look at the environment
  ::setenv(variable, value.c_str(), 1);
}

void keep(const std::vector<named_descriptor>& descriptors) {
  for (const auto& each : descriptors) {
    set_close_on_exec(each.fd, true);
  }
  ::unsetenv(variable);  // NOLINT(concurrency-mt-unsafe): as above
}

}  // namespace upcased
