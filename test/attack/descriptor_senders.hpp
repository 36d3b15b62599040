// descriptor_senders: attackers that send a daemon descriptors whose close lingers.

#pragma once

#include <upcase/file_descriptor.hpp>

#include "support/attacker.hpp"
#include "support/daemon.hpp"

namespace test {

/// A client that has bound no file, and so is refused.
upcase::file_descriptor connect_unnamed(const daemon& to);

/// So many of them in one message, from a client of its own.
attacker::action sends_once(const daemon& to, std::size_t count);

/// Served clients and refused ones, each with some, sent with its bytes or as
/// urgent data, and with further bytes after them. All of it is there when it says
/// that it is ready, where the daemon is halted.
attacker::action sends_and_stays(const daemon& to);

/// The same, one after the other, hundreds of times.
attacker::action floods(const daemon& to);

}  // namespace test
