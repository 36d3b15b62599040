// slow_file_system: the few requests of FUSE that a socket's file needs.

#include "support/slow_file_system.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace test {
namespace {

fuse_attr attributes(std::uint64_t node, std::uint32_t mode, std::uint32_t owner) {
  fuse_attr result{};
  result.ino = node;
  result.mode = mode;
  result.nlink = 1;
  result.uid = owner;
  result.ctime = static_cast<std::uint64_t>(std::time(nullptr));
  return result;
}

}  // namespace

slow_file_system::slow_file_system(const std::filesystem::path& directory)
    : directory_(directory), device_(::open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
  const std::string options =
      "fd=" + std::to_string(device_.get()) +
      ",rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions";
  mounted_ = device_ &&
             ::mount("slow", directory.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
  if (mounted_) {
    thread_ = std::jthread([this](const std::stop_token& end) { serve(end); });
  }
}

slow_file_system::~slow_file_system() {
  if (mounted_) {
    ::umount2(directory_.c_str(), MNT_DETACH);
    thread_ = {};  // stopped, and waited for
  }
}

void slow_file_system::go_on() {
  held_ = false;
  const std::scoped_lock lock(mutex_);
  for (const question& each : waiting_) {
    look_up(each.id, each.name);
  }
  waiting_.clear();
}

std::size_t slow_file_system::waiting() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size();
}

bool slow_file_system::holds(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  return files_.contains(name);
}

void slow_file_system::serve(const std::stop_token& end) {
  std::vector<char> request(1U << 18U);
  while (!end.stop_requested()) {
    pollfd ready{.fd = device_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 20) <= 0) {
      continue;
    }
    const ssize_t size = ::read(device_.get(), request.data(), request.size());
    if (size < static_cast<ssize_t>(sizeof(fuse_in_header))) {
      continue;
    }
    request[static_cast<std::size_t>(size)] = '\0';
    fuse_in_header asked{};
    std::memcpy(&asked, request.data(), sizeof asked);
    const std::scoped_lock lock(mutex_);
    answer(asked, request.data() + sizeof asked);
  }
}

void slow_file_system::answer(const fuse_in_header& asked, const char* body) {
  switch (asked.opcode) {
    case FUSE_INIT: {
      fuse_init_out out{};
      out.major = FUSE_KERNEL_VERSION;
      out.minor = 31;
      out.max_write = 4096;
      reply(asked.unique, &out, sizeof out);
      break;
    }
    case FUSE_GETATTR: {
      fuse_attr_out out{};
      out.attr = attributes(FUSE_ROOT_ID, S_IFDIR | S_ISVTX | ACCESSPERMS, 0);
      for (const auto& [name, found] : files_) {
        if (found.node == asked.nodeid) {
          out.attr = attributes(found.node, found.mode, found.owner);
        }
      }
      reply(asked.unique, &out, sizeof out);
      break;
    }
    case FUSE_LOOKUP:
      if (held_) {
        waiting_.push_back({.id = asked.unique, .name = body});
      } else {
        look_up(asked.unique, body);
      }
      break;
    case FUSE_MKNOD: {
      fuse_mknod_in in{};
      std::memcpy(&in, body, sizeof in);
      const std::string name = body + sizeof in;
      files_[name] = {.node = ++last_node_, .owner = asked.uid, .mode = in.mode};
      look_up(asked.unique, name);
      break;
    }
    case FUSE_UNLINK:
      files_.erase(body);
      reply(asked.unique, nullptr, 0);
      break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      break;  // want no answer
    default:
      reply(asked.unique, nullptr, 0, ENOSYS);
  }
}

void slow_file_system::look_up(std::uint64_t id, const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) {
    reply(id, nullptr, 0, ENOENT);
    return;
  }
  fuse_entry_out out{};
  out.nodeid = found->second.node;
  out.attr = attributes(found->second.node, found->second.mode, found->second.owner);
  reply(id, &out, sizeof out);
}

void slow_file_system::reply(std::uint64_t id, const void* body, std::size_t size,
                             int error) const {
  fuse_out_header header{
      .len = static_cast<std::uint32_t>(sizeof header + size), .error = -error, .unique = id};
  const std::array<iovec, 2> parts{{{.iov_base = &header, .iov_len = sizeof header},
                                    {.iov_base = const_cast<void*>(body), .iov_len = size}}};
  // Who asked may have gone.
  [[maybe_unused]] const ssize_t written = ::writev(device_.get(), parts.data(), size > 0 ? 2 : 1);
}

}  // namespace test
