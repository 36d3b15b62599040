// client_descriptor: a client's connection, and descriptors that may lie in it.
//
// A client can send descriptors (SCM_RIGHTS, unix(7)), which nobody here wants.
// From Linux 6.16 on the kernel refuses them if it is told to (SO_PASSRIGHTS).
// An older one queues them with the client's bytes, and drops them in the thread
// that reads those bytes or closes the socket: the last reference to a TCP
// socket that lingers holds up that thread for as long as the client likes. So
// there they are received with the bytes, or closed with the socket, and both
// happens on threads of descriptor_closer.

#pragma once

#include <span>
#include <sys/types.h>
#include <upcase/descriptor_closer.hpp>
#include <upcase/file_descriptor.hpp>

namespace upcase {

/// Has the kernel refuse descriptors on all connections that clients make to
/// `listening` from now on. False if it cannot.
bool refuse_descriptors(int listening) noexcept;

/// Whether descriptors may lie in this connection. Once it is false it stays so.
bool may_hold_descriptors(int socket) noexcept;

/// Before the first read of a connection that may hold descriptors: urgent data
/// (MSG_OOB), and what came with it, is read as all other, not dropped.
void read_urgent_data_inline(int socket) noexcept;

struct reception {
  ssize_t size = -1;         ///< as of recv(2), and so is errno
  bool descriptors = false;  ///< some came along; they are closed aside, or still in there
};

/// recv(2), without waiting, of a connection that may hold descriptors. Where
/// there is no `room` for as many as a message can bring, the kernel would drop
/// some, so bytes that they come with are left unread. Takes some 100 ns more than
/// recv(2), and where there is no room two calls.
reception receive_guarded(int socket, std::span<char> buffer, bool room) noexcept;

/// How many descriptors a message can bring: SCM_MAX_FD of the kernel (unix(7)).
inline constexpr std::size_t most_descriptors = 253;

/// How many accepted connections no event loop has: those whose files are being
/// examined, those that a stop turns away, and one that waits for its check.
inline constexpr std::size_t most_unserved_connections = 321;

/// Closes a connection: aside, if it may hold descriptors; then it is shut down
/// first, so that its client need not wait for that.
void close_connection(int socket) noexcept;

/// One end of a client's connection.
using client_descriptor = basic_descriptor<close_connection>;

}  // namespace upcase
