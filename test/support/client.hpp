// client: a hand-made client, each step of which a test can do wrong.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <upcase/file_descriptor.hpp>

#include "support/process.hpp"

namespace test {

/// A blocking Unix stream socket.
upcase::file_descriptor make_socket();

/// bind(2) with this umask's complement as the file's mode. Throws.
void bind_to(int socket, const std::filesystem::path& path, mode_t mode = 0700);

/// connect(2). Throws std::system_error.
void connect_to(int socket, const std::filesystem::path& server);

/// Whether somebody listens there. A socket's file exists a moment earlier, from
/// bind(2) on.
bool listens(const std::filesystem::path& server);

/// A client as it should be: bound to a fresh name in `directory`, connected.
upcase::file_descriptor connect_client(const std::filesystem::path& server,
                                       const std::filesystem::path& directory);

/// All of it, or throws std::system_error.
void send_all(int socket, std::string_view bytes);

/// Exactly so many bytes, or fewer if the end or an error comes first or
/// nothing comes for `limit`.
std::string receive(int socket, std::size_t count,
                    std::chrono::nanoseconds limit = patience_left());

/// Everything up to the end of file (or a reset).
std::string receive_to_end(int socket, std::chrono::nanoseconds limit = patience_left());

/// Whether the peer has closed, without any byte before: what a refusal is.
bool refused(int socket, std::chrono::nanoseconds limit = patience_left());

/// Whether the peer has ended its side, without any byte before, and has not
/// closed: what a client sees that comes while the daemon stops. Something must have been
/// sent before, and lie unread.
bool turned_away(int socket, std::chrono::nanoseconds limit = patience_left());

/// Whether "hello\n" comes back as "HELLO\n".
bool served(int socket);

/// Sends what the kernel and the daemon take without anybody reading; what that was.
std::string fill(int socket, unsigned seed);

/// Deterministic bytes that look random.
std::string random_bytes(std::size_t count, unsigned seed = 1);

/// The C library's toupper(3) in the C locale over all of it: the reference.
std::string reference_uppercase(std::string bytes);

}  // namespace test
