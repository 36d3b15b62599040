// one_client_server: one accept(2), on a thread.

#include "support/one_client_server.hpp"

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <utility>

#include "support/client.hpp"

namespace test {

one_client_server::one_client_server(behaviour act)
    : act_(std::move(act)), listening_(make_socket()) {
  bind_to(listening_.get(), socket(), ACCESSPERMS);
  if (::listen(listening_.get(), 1) != 0 || ::mkdir(clients().c_str(), S_IRWXU) != 0 ||
      ::chmod(clients().c_str(), S_ISVTX | S_IRWXU | S_IRWXG | S_IRWXO) != 0) {
    throw std::runtime_error("cannot listen");
  }
  thread_ = std::thread([this] { serve(); });
}

one_client_server::~one_client_server() {
  {
    const std::lock_guard lock(mutex_);
    ::shutdown(listening_.get(), SHUT_RDWR);  // wakes accept
  }
  thread_.join();
}

void one_client_server::close_listener() {
  const std::lock_guard lock(mutex_);
  listening_.reset();
}

void one_client_server::serve() {
  sockaddr_un address{};
  socklen_t length = sizeof address;
  upcase::file_descriptor connection(
      ::accept4(listening_.get(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_CLOEXEC));
  if (connection) {
    const std::size_t bytes = length - offsetof(sockaddr_un, sun_path);
    act_(std::move(connection), std::string(address.sun_path, ::strnlen(address.sun_path, bytes)));
  }
}

}  // namespace test
