// credentials: the check, step by step as the header numbers it.

#include <upcase/credentials.hpp>

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <upcase/shortage.hpp>

namespace upcase {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

// openat2 reports EAGAIN when a rename or mount somewhere in the system raced
// with it and it cannot be sure that nothing was crossed (openat2(2)); of what is
// not cached, RESOLVE_CACHED has it report the same.
constexpr int openat2_attempts = 8;

// `how_far`: 0, or RESOLVE_CACHED for no further than what is cached.
int open_beneath(int directory, const char* name, std::uint64_t how_far) noexcept {
  open_how how{};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve =
      how_far | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  long fd = -1;
  for (int attempt = 0; attempt < openat2_attempts; ++attempt) {
    fd = ::syscall(SYS_openat2, directory, name, &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN) {
      break;
    }
  }
  return static_cast<int>(fd);
}

// What the kernel knows of an open file, as fstat(2) says it, without asking a file
// system.
bool known_status(int file, struct stat& status) noexcept {
  struct statx known {};
  constexpr unsigned wanted =
      STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_CTIME | STATX_INO;
  if (::statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, wanted, &known) != 0) {
    return false;
  }
  status.st_ino = known.stx_ino;
  status.st_mode = known.stx_mode;
  status.st_nlink = known.stx_nlink;
  status.st_uid = known.stx_uid;
  status.st_ctim = {.tv_sec = known.stx_ctime.tv_sec, .tv_nsec = known.stx_ctime.tv_nsec};
  return true;
}

std::chrono::system_clock::time_point to_time_point(const timespec& time) noexcept {
  return std::chrono::system_clock::time_point(std::chrono::seconds(time.tv_sec) +
                                               std::chrono::nanoseconds(time.tv_nsec));
}

// The last part of a path that `locate` has found good.
const char* file_in(const client_name& name) noexcept {
  const std::string_view path = name.path();
  return path.data() + path.rfind('/') + 1;
}

// Steps 4 and 5. statx(2) by name would be one call in place of three, but whether it
// waits for a file system that is mounted over the name is up to that one.
void check_file(finding& found, const credential_policy& policy,
                std::chrono::system_clock::time_point now, std::uint64_t how_far) noexcept {
  const file_descriptor opened(open_beneath(found.directory->get(), file_in(found.name), how_far));
  if (!opened) {
    // EINVAL: a kernel that does not know RESOLVE_CACHED.
    if (how_far == RESOLVE_CACHED && (errno == EAGAIN || errno == EINVAL)) {
      found.file_unknown = true;
    } else if (is_shortage(errno)) {
      found.system_error.assign(errno, std::generic_category());
    } else {
      found.why = errno == EXDEV ? verdict::crossed_mount : verdict::not_found;
    }
    return;
  }
  struct stat status {};
  found.why = known_status(opened.get(), status) ? judge_file(status, found.who, policy, now)
                                                 : verdict::not_found;
  found.inode = status.st_ino;
}

}  // namespace

std::string_view client_name::path() const noexcept {
  if (size <= path_offset || bytes[path_offset] == '\0') {
    return {};
  }
  // The buffer is one byte longer than any address, so a NUL always follows.
  return {bytes + path_offset};
}

verdict judge_name(const client_name& name) noexcept {
  if (name.size <= path_offset) {
    return verdict::unnamed;
  }
  if (name.bytes[path_offset] == '\0') {
    return verdict::abstract;
  }
  return name.size > sizeof(sockaddr_un) ? verdict::too_long : verdict::allowed;
}

location locate(std::string_view path, std::span<const client_directory> directories) noexcept {
  if (!path.starts_with('/')) {
    return {.why = verdict::relative};
  }
  const std::size_t slash = path.rfind('/');
  const std::string_view directory = path.substr(0, slash);
  const std::string_view file = path.substr(slash + 1);
  if (file.empty() || file == "." || file == "..") {
    return {.why = verdict::outside};
  }
  // Compared as written: a configured directory has no ".", ".." or doubled
  // slash in it, so neither has a path that begins with one.
  for (std::size_t i = 0; i < directories.size(); ++i) {
    if (directories[i].path() == directory) {
      return {.why = verdict::allowed, .directory = i, .file = file};
    }
  }
  return {.why = verdict::outside};
}

verdict judge_file(const struct stat& file, const peer& who, const credential_policy& policy,
                   std::chrono::system_clock::time_point now) noexcept {
  if (!S_ISSOCK(file.st_mode)) {
    return verdict::not_a_socket;
  }
  if (file.st_nlink != 1) {
    return verdict::linked;
  }
  if (policy.mode == client_mode::private_ && (file.st_mode & ACCESSPERMS) != S_IRWXU) {
    return verdict::mode;
  }
  // A time in the future is no offence: clocks are set back.
  if (policy.max_age.count() > 0 && now - to_time_point(file.st_ctim) > policy.max_age) {
    return verdict::stale;
  }
  // The group is no credential: a setgid directory hands out its own.
  return file.st_uid == who.uid ? verdict::allowed : verdict::uid_mismatch;
}

finding check_credentials(int socket, const client_name& name,
                          std::span<const client_directory> directories,
                          const credential_policy& policy,
                          std::chrono::system_clock::time_point now) {
  finding found;
  found.who = peer_of(socket).value_or(peer{.uid = policy.overflow});

  if (policy.source == credential_source::file) {  // 1
    found.name = name;
    found.why = judge_name(name);
    if (found.why != verdict::allowed) {
      return found;
    }
  }
  if (found.who.uid == policy.overflow) {  // 2
    found.why = verdict::unmapped_uid;
    return found;
  }
  if (policy.source == credential_source::file) {
    const location place = locate(found.name.path(), directories);  // 3
    found.why = place.why;
    if (found.why != verdict::allowed) {
      return found;
    }
    found.directory = directories[place.directory].descriptor();
    check_file(found, policy, now, RESOLVE_CACHED);  // 4, 5
  }
  return found;
}

void examine_file(finding& found, const credential_policy& policy,
                  std::chrono::system_clock::time_point now) noexcept {
  found.file_unknown = false;
  check_file(found, policy, now, 0);
}

void remove_client_file(const finding& passed) noexcept {
  if (passed.directory == nullptr) {
    return;
  }
  const int directory = passed.directory->get();
  const char* const file = file_in(passed.name);
  // Its owner may have given the name up, and another user taken it. A file system
  // may give the inode's number to another file when the client's socket is closed.
  struct stat named {};
  if (::fstatat(directory, file, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      named.st_ino == passed.inode && named.st_uid == passed.who.uid) {
    ::unlinkat(directory, file, 0);
  }
}

bool kernel_can_check_files() noexcept {
  const file_descriptor root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const file_descriptor probe(open_beneath(root.get(), ".", 0));
  return static_cast<bool>(probe);
}

}  // namespace upcase
