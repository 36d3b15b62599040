// succession: this process makes way for the next one, and no client notices.
//
// Two ways. Where the service manager keeps descriptors for us (its descriptor
// store, systemd.service(5)), the clients go there and we exit; it starts the
// successor and passes them on. Elsewhere (a container, a supervisor, a
// terminal) we replace ourselves by the program that now stands at our path:
// same process, same parent, new code. A successor that could not start is
// worse than none, so there the new program checks the configuration first,
// while we still serve.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string>
#include <sys/types.h>
#include <upcase/carrier.hpp>
#include <upcase/log.hpp>
#include <upcase/server.hpp>
#include <vector>

#include "inheritance.hpp"
#include "service_manager.hpp"

namespace upcased {

/// Belongs to the thread that runs `context`.
class succession {
 public:
  enum class outcome {
    done,    ///< the service manager has everything: exit
    partly,  ///< some clients could not be handed over: drain them, then exit
    failed,  ///< nothing has changed
  };

  /// `argv` is this process's command line, as the successor's will be.
  succession(boost::asio::io_context& context, upcase::server& server,
             const service_manager& manager, upcase::log& journal, std::vector<std::string> argv);

  /// What the successor inherits beside the clients; asked when they are on their
  /// way, so that it is what holds then. The descriptors stay open until `ended`.
  using estate = std::function<std::vector<named_descriptor>()>;

  /// Begins, and calls `ended` unless this process has become its successor.
  /// Ignored while one is under way.
  void begin(estate rest, std::function<void(outcome)> ended);

  /// A stop is wanted instead. True if clients are on their way by now: they are
  /// taken back first, and `ended` is called with `failed`.
  bool cancel();

 private:
  void gather();
  void gathered(upcase::cargo load);
  void store(upcase::cargo load);
  void check_successor();
  void successor_checked();
  void become_successor(upcase::cargo load);
  bool closing_is_done();
  void take_back(upcase::loaded_carriers loaded);
  void tell(upcase::log_level level, std::string_view what, std::string_view reason);
  void end(outcome how);

  upcase::server& server_;
  const service_manager& manager_;
  upcase::log& journal_;
  std::vector<std::string> argv_;
  std::string program_;                            // where our own program stands
  boost::asio::posix::stream_descriptor checker_;  // a pidfd: the successor's check
  pid_t checked_ = -1;                             // the process that it is about
  boost::asio::steady_timer check_limit_;
  estate rest_;
  bool gathering_ = false;  // the server is giving its clients up
  bool cancelled_ = false;
  std::function<void(outcome)> ended_;  // none: nothing is under way
};

}  // namespace upcased
