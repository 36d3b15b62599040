// uppercase: as many bytes at a time as the processor takes, whatever the
// build's flags.
//
// g++ 12 leaves the plain loop scalar at -O2, the level distributions build
// at, and a loop that stores conditionally stays scalar even at -O3. Spelling
// the vector out with the compilers' vector extension (GCC manual 6.52, also in
// clang) takes the choice away from the optimiser. The comparison yields
// all-ones lanes, which select bit 0x20, the only bit in which 'a' and 'A'
// differ.
//
// Distributions build for the oldest x86-64, whose vectors are half as wide as
// those of nearly every one in use: which one this is, is asked at run time.

#include <upcase/uppercase.hpp>

#include <cstddef>
#include <cstring>

namespace upcase {
namespace {

constexpr unsigned char case_bit = 'a' ^ 'A';

struct vectors_of_16 {
  using lanes = unsigned char __attribute__((vector_size(16)));
  using signed_lanes = signed char __attribute__((vector_size(16)));
};

struct vectors_of_32 {
  using lanes = unsigned char __attribute__((vector_size(32)));
  using signed_lanes = signed char __attribute__((vector_size(32)));
};

// Vector by vector, as long as there are bytes enough; the rest. Inlined, so
// that it is compiled for the processor that its caller is for.
template <typename Vectors>
[[gnu::always_inline]] inline std::span<char> uppercase_vectors(std::span<char> bytes) noexcept {
  using lanes = typename Vectors::lanes;
  using signed_lanes = typename Vectors::signed_lanes;
  // Processors compare signed bytes more cheaply. Moved so that 'a' is the lowest
  // of them, the letters are those below some value: one comparison.
  constexpr unsigned char a_to_lowest = 128 - 'a';
  constexpr signed char after_z = -128 + 26;
  while (bytes.size() >= sizeof(lanes)) {
    lanes chunk;
    std::memcpy(&chunk, bytes.data(), sizeof chunk);
    const auto letters = reinterpret_cast<signed_lanes>(chunk + a_to_lowest) < after_z;
    chunk ^= reinterpret_cast<lanes>(letters) & case_bit;
    std::memcpy(bytes.data(), &chunk, sizeof chunk);
    bytes = bytes.subspan(sizeof chunk);
  }
  return bytes;
}

[[gnu::always_inline]] inline void uppercase_bytes(std::span<char> bytes) noexcept {
  for (char& at : bytes) {
    const auto byte = static_cast<unsigned char>(at);
    const bool lowercase = byte >= 'a' && byte <= 'z';
    at = static_cast<char>(byte ^ (lowercase ? case_bit : 0));
  }
}

#ifdef __x86_64__
[[gnu::target("avx2")]] void uppercase_avx2(std::span<char> bytes) noexcept {
  uppercase_bytes(uppercase_vectors<vectors_of_16>(uppercase_vectors<vectors_of_32>(bytes)));
}
#endif

}  // namespace

void uppercase(std::span<char> bytes) noexcept {
#ifdef __x86_64__
  if (static_cast<bool>(__builtin_cpu_supports("avx2"))) {
    uppercase_avx2(bytes);
    return;
  }
#endif
  uppercase_bytes(uppercase_vectors<vectors_of_16>(bytes));
}

}  // namespace upcase
