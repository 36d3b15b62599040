// explanation: what became of it, in one sentence with what to do next, and an
// exit code of sysexits.h.

#pragma once

#include <string>
#include <upcase/client_socket.hpp>
#include <upcase/relay.hpp>

#include "options.hpp"

namespace upcase_client {

struct explanation {
  int code = 0;
  std::string sentence;  ///< empty if all went well
};

/// Why there is no connection.
explanation explain(const upcase::connect_error& error, const command& asked);

/// How the connection ended. Waits a moment for a daemon that has answered
/// nothing to remove the file of `socket`.
explanation explain(const upcase::relay_result& result, const command& asked,
                    const upcase::client_socket& socket);

/// The daemon is run by somebody else than `asked` wants.
explanation explain_other_server(const command& asked, uid_t server);

}  // namespace upcase_client
