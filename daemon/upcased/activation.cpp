// activation: sd_listen_fds_with_names(3), and what may be expected of them.

#include "activation.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <span>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <upcase/system_calls.hpp>
#include <utility>
#include <vector>

#include "start_error.hpp"

namespace upcased {
namespace {

constexpr std::string_view socket_name = "upcased";

struct passed_descriptor {
  std::string name;
  upcase::file_descriptor fd;
};

std::vector<passed_descriptor> take_passed_descriptors() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) {
    throw start_error(EX_OSERR, fmt::format("cannot take the service manager's descriptors: {}",
                                            upcase::describe(-count)));
  }
  std::vector<passed_descriptor> result;
  for (int i = 0; i < count; ++i) {
    const std::unique_ptr<char, decltype(&std::free)> name(names[i], &std::free);
    result.push_back({name.get(), upcase::file_descriptor(SD_LISTEN_FDS_START + i)});
  }
  std::free(names);
  return result;
}

void check(int fd) {
  if (::sd_is_socket_unix(fd, SOCK_STREAM, 1, nullptr, 0) <= 0) {
    throw start_error(EX_CONFIG, fmt::format("the service manager's descriptor '{}' is no "
                                             "listening Unix stream socket; see ListenStream= and "
                                             "FileDescriptorName= of the socket unit",
                                             socket_name));
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    throw start_error(EX_OSERR, fmt::format("cannot make the service manager's socket "
                                            "non-blocking: {}",
                                            upcase::describe(errno)));
  }
}

std::string path_of(int socket) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return {};
  }
  return {address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path)};
}

}  // namespace

activated_socket take_activated_socket(upcase::log& journal) {
  activated_socket result;
  for (passed_descriptor& passed : take_passed_descriptors()) {
    if (passed.name != socket_name) {
      journal.write(upcase::log_level::warning, upcase::event::status,
                    {{"descriptor", "closed"}, {"name", passed.name}});
      continue;
    }
    if (result.socket) {
      throw start_error(EX_CONFIG, fmt::format("the service manager passed several sockets named "
                                               "'{}'; the daemon listens on one",
                                               socket_name));
    }
    check(passed.fd.get());
    result.path = path_of(passed.fd.get());
    result.socket = std::move(passed.fd);
  }
  return result;
}

}  // namespace upcased
