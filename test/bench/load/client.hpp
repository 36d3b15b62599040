// client: a connection whose own socket file is its credential, as upcased
// wants it and as all other servers do not mind.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <upcase/file_descriptor.hpp>

#include "pattern.hpp"

namespace bench {

/// How long anything may take before the run is given up.
inline constexpr std::chrono::seconds patience{30};

/// How far a client is in its stream.
struct progress {
  std::uint64_t entry = 0;  ///< in the pattern
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

/// Binds CLIENTS/`name` with mode 0700 and connects, blocking; while the server
/// is not there yet, tries again. The result is non-blocking.
upcase::file_descriptor connect(const std::filesystem::path& server,
                                const std::filesystem::path& file);

/// Receives what there is, into `buffer`, and checks it; returns how much, 0
/// for nothing yet. Throws at an error, a wrong byte, one too many, or an end.
std::size_t receive(int socket, std::span<char> buffer, progress& at, const pattern& bytes);

/// Sends what the socket takes of up to `count` messages of `size`, each by
/// itself, in one system call. The first one may be the rest of a message.
void send(int socket, std::size_t count, std::size_t size, progress& at, const pattern& bytes);

/// No more messages: the server sees the end of this client's.
void half_close(int socket);

/// After that: takes what is under way, and throws unless every byte sent has
/// come back, and then the end.
void finish(int socket, std::span<char> buffer, progress& at, const pattern& bytes);

}  // namespace bench
