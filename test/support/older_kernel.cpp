// older_kernel: a seccomp(2) filter in front of setsockopt(2) and getsockopt(2).

#include "support/older_kernel.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace test {
namespace {

// SO_PASSRIGHTS, which the headers of Debian 12 do not have.
constexpr std::uint32_t pass_rights = 83;

// The lower half of an argument: it is an int.
constexpr std::uint32_t argument(std::size_t index) noexcept {
  const std::size_t half = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : sizeof(std::uint32_t);
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t) +
                                    half);
}

constexpr sock_filter load(std::size_t offset) noexcept {
  return {
      .code = BPF_LD | BPF_W | BPF_ABS, .jt = 0, .jf = 0, .k = static_cast<std::uint32_t>(offset)};
}

constexpr sock_filter skip_unless(std::uint32_t value, std::uint8_t skipped) noexcept {
  return {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = skipped, .k = value};
}

constexpr sock_filter skip_if(std::uint32_t value, std::uint8_t skipped) noexcept {
  return {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = skipped, .jf = 0, .k = value};
}

constexpr sock_filter answer(std::uint32_t value) noexcept {
  return {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = value};
}

}  // namespace

bool imitate_older_kernel() noexcept {
  std::array<sock_filter, 9> filter{
      load(offsetof(seccomp_data, nr)), skip_if(SYS_setsockopt, 1),
      skip_unless(SYS_getsockopt, 5),   load(argument(1)),
      skip_unless(SOL_SOCKET, 3),       load(argument(2)),
      skip_unless(pass_rights, 1),      answer(SECCOMP_RET_ERRNO | ENOPROTOOPT),
      answer(SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

}  // namespace test
