// classic_client: the pattern's original client, re-created in behaviour: it
// binds /var/tmp/ and its pid in five digits with the umask as it is, connects,
// and then asks and awaits one line at a time. It never removes its file.

#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

sockaddr_un address_of(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  return address;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    return 64;
  }
  char name[32];
  std::snprintf(name, sizeof name, "/var/tmp/%05d", static_cast<int>(::getpid()));
  ::unlink(name);
  const sockaddr_un own = address_of(name);
  const sockaddr_un server = address_of(argv[1]);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      ::connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
    return 1;
  }
  for (std::string line; std::getline(std::cin, line);) {
    line += '\n';
    if (::write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      return 2;
    }
    for (std::size_t have = 0; have < line.size();) {
      const ssize_t got = ::read(fd, line.data() + have, line.size() - have);
      if (got <= 0) {
        return 3;
      }
      have += static_cast<std::size_t>(got);
    }
    std::cout << line << std::flush;
  }
}
