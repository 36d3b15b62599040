// unanswering_file: the two answers that it takes to open a file.

#include "support/unanswering_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string>
#include <sys/mount.h>
#include <sys/uio.h>
#include <thread>
#include <unistd.h>

namespace test {
namespace {

template <typename Body>
void answer(int device, const fuse_in_header& request, Body body) {
  fuse_out_header header{.len = sizeof header + sizeof body, .error = 0, .unique = request.unique};
  const std::array<iovec, 2> parts{iovec{.iov_base = &header, .iov_len = sizeof header},
                                   iovec{.iov_base = &body, .iov_len = sizeof body}};
  static_cast<void>(::writev(device, parts.data(), parts.size()));
}

void answer_until_open(int device) {
  std::array<char, FUSE_MIN_READ_BUFFER> bytes{};
  fuse_in_header request{};
  while (request.opcode != FUSE_OPEN &&
         ::read(device, bytes.data(), bytes.size()) >= static_cast<ssize_t>(sizeof request)) {
    std::memcpy(&request, bytes.data(), sizeof request);
    if (request.opcode == FUSE_INIT) {
      fuse_init_out agreed{};
      agreed.major = FUSE_KERNEL_VERSION;
      agreed.minor = FUSE_KERNEL_MINOR_VERSION;
      agreed.max_write = 4096;
      answer(device, request, agreed);
    } else if (request.opcode == FUSE_OPEN) {
      answer(device, request, fuse_open_out{});
    }
  }
}

}  // namespace

unanswering_file::unanswering_file(const std::filesystem::path& path)
    : path_(path), device_(::open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
  const std::string options =
      "fd=" + std::to_string(device_.get()) + ",rootmode=100000,user_id=0,group_id=0,allow_other";
  if (!device_ ||
      ::mount("unanswering", path.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return;
  }
  const std::jthread server([this] { answer_until_open(device_.get()); });
  file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

unanswering_file::~unanswering_file() {
  ::umount2(path_.c_str(), MNT_DETACH);
  device_.reset();  // whoever waits gets an error now
  file.reset();
}

}  // namespace test
