// loads: the things that clients do to a server. Each runs once, throws
// if the server gets anything wrong, and returns what was measured.

#pragma once

#include "measurement.hpp"
#include "options.hpp"

namespace bench {

/// `count` clients that stay connected. With depth 1 each waits for its answer
/// before it goes on (ping-pong); with more, `depth` messages are under way.
/// Counts messages.
result stream_load(const options& given);

/// `count` clients at a time that connect, have one message answered and go;
/// each is followed by the next. Counts connections.
result connect_load(const options& given);

/// `count` clients that each send a message once an `interval`, and are not held
/// up by each other's answers. Counts messages.
result paced_load(const options& given);

/// `count` clients that have one message answered and then stay silent. What
/// the first tenth of them cost is not counted: it holds what a server
/// allocates once.
result idle_load(const options& given);

}  // namespace bench
