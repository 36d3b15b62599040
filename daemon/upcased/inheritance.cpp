// inheritance: two sources, one list of names.

#include "inheritance.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>
#include <upcase/system_calls.hpp>
#include <utility>

#include "activation.hpp"
#include "start_error.hpp"

namespace upcased {
namespace {

// "name=3 name=4": what a predecessor that exec'd us has left open.
constexpr const char* variable = "UPCASED_DESCRIPTORS";

void set_close_on_exec(int fd, bool on) noexcept { ::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0); }

void take_bequeathed(std::vector<passed_descriptor>& into) {
  std::istringstream entries{std::string(upcase::environment(variable))};
  for (std::string entry; entries >> entry;) {
    const auto equals = entry.find('=');
    const int fd = std::atoi(entry.c_str() + std::min(equals, entry.size() - 1) + 1);
    if (fd > STDERR_FILENO && ::fcntl(fd, F_GETFD) >= 0) {
      set_close_on_exec(fd, true);
      into.push_back({entry.substr(0, equals), upcase::file_descriptor(fd)});
    }
  }
  ::unsetenv(variable);  // NOLINT(concurrency-mt-unsafe): before there are threads
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

void take_listening(listening_socket& into, passed_descriptor& passed) {
  const int fd = passed.fd.get();
  if (into.fd) {
    throw start_error(EX_CONFIG, fmt::format("several sockets named '{}' were passed; the daemon "
                                             "listens on one",
                                             passed.name));
  }
  if (socket_option(fd, SO_DOMAIN) != AF_UNIX || socket_option(fd, SO_TYPE) != SOCK_STREAM ||
      socket_option(fd, SO_ACCEPTCONN) != 1) {
    throw start_error(EX_CONFIG, fmt::format("the descriptor '{}' that was passed is no listening "
                                             "Unix stream socket; see ListenStream= and "
                                             "FileDescriptorName= of the socket unit",
                                             passed.name));
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    throw start_error(EX_OSERR, fmt::format("cannot make the socket '{}' non-blocking: {}",
                                            passed.name, upcase::describe(errno)));
  }
  into.path = path_of(fd);
  into.fd = std::move(passed.fd);
}

}  // namespace

inheritance take_inheritance(upcase::log& journal) {
  std::vector<passed_descriptor> all = take_passed_descriptors();
  take_bequeathed(all);
  inheritance result;
  for (passed_descriptor& passed : all) {
    if (passed.name == activated_name) {
      take_listening(result.activated, passed);
    } else if (passed.name == listener_name) {
      take_listening(result.own, passed);
    } else if (passed.name == carrier_name) {
      result.carriers.push_back(std::move(passed.fd));
    } else {
      journal.write(upcase::log_level::warning, upcase::event::status,
                    {{"descriptor", "closed"}, {"name", passed.name}});
      upcase::close_aside(passed.fd.release());
    }
  }
  return result;
}

void bequeath(const std::vector<named_descriptor>& descriptors) {
  std::string value;
  for (const auto& [name, fd] : descriptors) {
    set_close_on_exec(fd, false);
    value += fmt::format("{}{}={}", value.empty() ? "" : " ", name, fd);
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
