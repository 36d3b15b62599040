// preloaded_name_service: a name service that is slow, or fails, as a test wishes.
//
// To be put before the C library (LD_PRELOAD). What happens to a look-up is said
// by files in the directory $TEST_NAME_SERVICE; see support/name_service.hpp.

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string>
#include <unistd.h>

namespace {

std::string place(const char* file) {
  const char* directory = std::getenv("TEST_NAME_SERVICE");
  return directory == nullptr ? std::string() : std::string(directory) + file;
}

// Notes that it was asked, waits for as long as it is held, and returns the error
// to fail with, 0 for none.
int obey() {
  if (const int fd =
          ::open(place("/asked").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
      fd >= 0) {
    static_cast<void>(::write(fd, "x", 1));
    ::close(fd);
  }
  constexpr timespec moment{.tv_sec = 0, .tv_nsec = 1'000'000};
  while (::access(place("/hold").c_str(), F_OK) == 0) {
    ::nanosleep(&moment, nullptr);
  }
  std::array<char, 16> number{};
  if (const int fd = ::open(place("/error").c_str(), O_RDONLY | O_CLOEXEC); fd >= 0) {
    static_cast<void>(::read(fd, number.data(), number.size() - 1));
    ::close(fd);
  }
  return std::atoi(number.data());
}

template <typename Record, typename Key>
int look_up(const char* name, Key key, Record* record, char* storage, std::size_t size,
            Record** found) {
  if (const int error = obey(); error != 0) {
    *found = nullptr;
    return error;
  }
  using function = int (*)(Key, Record*, char*, std::size_t, Record**);
  return reinterpret_cast<function>(::dlsym(RTLD_NEXT, name))(key, record, storage, size, found);
}

}  // namespace

extern "C" {

int getpwnam_r(const char* key, passwd* record, char* storage, std::size_t size, passwd** found) {
  return look_up("getpwnam_r", key, record, storage, size, found);
}

int getpwuid_r(uid_t key, passwd* record, char* storage, std::size_t size, passwd** found) {
  return look_up("getpwuid_r", key, record, storage, size, found);
}

int getgrnam_r(const char* key, group* record, char* storage, std::size_t size, group** found) {
  return look_up("getgrnam_r", key, record, storage, size, found);
}

int getgrgid_r(gid_t key, group* record, char* storage, std::size_t size, group** found) {
  return look_up("getgrgid_r", key, record, storage, size, found);
}
}
