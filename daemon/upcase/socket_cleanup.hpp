// socket_cleanup: no socket file stays behind when a signal ends us.

#pragma once

#include <upcase/client_file.hpp>

namespace upcase_client {

/// While it lives, the signals that end a program from outside wait.
class signals_held {
 public:
  signals_held();
  signals_held(const signals_held&) = delete;
  signals_held& operator=(const signals_held&) = delete;
  ~signals_held();
};

/// From now on those signals remove `file` first and then do what they always
/// do, so that the caller's shell sees the true cause of death. Another call
/// puts another file in its place: client_file() before its directory's
/// descriptor is closed. Call it while signals are held.
void remove_on_signal(const upcase::client_file& file);

}  // namespace upcase_client
