// busy_poll: an event loop that stays awake a little longer than it must.
//
// A loop that sleeps is woken by the kernel's scheduler, which takes longer
// than a whole round trip of a small message. One that spins first finds the
// next message by itself, where it comes soon. The price: a core burnt for the
// length of every pause, and clients on that same core that wait their turn
// behind the spin; so it is off unless asked for.

#pragma once

#include <boost/asio/io_context.hpp>
#include <upcase/setting_values.hpp>

namespace upcase {

/// Runs `context` as its `run` does, on the calling thread; an idle loop looks
/// again and again for `spin` before it sleeps. 0: sleeps at once.
void run_loop(boost::asio::io_context& context, duration spin);

}  // namespace upcase
