// sealed_memory: a file in memory that nobody can change any more once it is
// sealed (memfd_create(2)), so that whoever receives it can read it in place.

#pragma once

#include <upcase/file_descriptor.hpp>

namespace upcase {

/// One to write into and then to seal; it can never be executed, where the kernel
/// knows that (Linux 6.3). None where it cannot be had; errno says why.
file_descriptor make_sealable_memory(const char* name) noexcept;

/// From now on its size and content stay. False if that cannot be had.
bool seal(int memory) noexcept;

/// Whether they do. Further seals are no fault: vm.memfd_noexec adds one.
bool is_sealed(int memory) noexcept;

}  // namespace upcase
