// uppercase_session: the daemon's whole business, in the form in which any
// other service on this library would be written.

#include <upcase/session.hpp>
#include <upcase/uppercase.hpp>

namespace upcase {

// A `for`, because g++ 12 does not run the body of `while (co_await ...)`.
task uppercase_session(stream& client, const peer& /*who*/) {
  for (auto bytes = co_await client.read(); !bytes.empty(); bytes = co_await client.read()) {
    uppercase(bytes);
    co_await client.write(bytes);
  }
}

}  // namespace upcase
