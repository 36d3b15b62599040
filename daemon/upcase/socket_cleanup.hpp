// socket_cleanup: no socket file stays behind when a signal ends us.

#pragma once

namespace upcase_client {

/// While it lives, the signals that end a program from outside wait.
class signals_held {
 public:
  signals_held();
  signals_held(const signals_held&) = delete;
  signals_held& operator=(const signals_held&) = delete;
  ~signals_held();
};

/// From now on those signals remove `path` first and then do what they always
/// do, so that the caller's shell sees the true cause of death. `path` must
/// stay valid to the end of the process, and exist only once.
void remove_on_signal(const char* path);

}  // namespace upcase_client
