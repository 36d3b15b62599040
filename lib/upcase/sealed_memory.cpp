// sealed_memory: memfd_create(2) and F_ADD_SEALS.

#include <upcase/sealed_memory.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>

namespace upcase {
namespace {

constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U  // the headers of glibc 2.36 do not have it
#endif

}  // namespace

file_descriptor make_sealable_memory(const char* name) noexcept {
  constexpr unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  file_descriptor result(::memfd_create(name, flags | MFD_NOEXEC_SEAL));
  if (!result && errno == EINVAL) {
    result.reset(::memfd_create(name, flags));
  }
  return result;
}

bool seal(int memory) noexcept { return ::fcntl(memory, F_ADD_SEALS, seals) == 0; }

bool is_sealed(int memory) noexcept {
  const int present = ::fcntl(memory, F_GET_SEALS);
  return present >= 0 && (present & seals) == seals;
}

}  // namespace upcase
