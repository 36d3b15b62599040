// listening: which socket this process serves, of those that it was passed and
// the one that is configured.

#pragma once

#include <memory>
#include <string>
#include <upcase/file_descriptor.hpp>
#include <upcase/listener.hpp>
#include <upcase/log.hpp>
#include <upcase/settings.hpp>
#include <vector>

#include "inheritance.hpp"

namespace upcased {

struct listening {
  upcase::file_descriptor socket;         ///< non-blocking
  std::string path;                       ///< where it is bound
  std::unique_ptr<upcase::listener> own;  ///< none: the service manager's socket
  std::vector<std::string> problems;      ///< what is wrong with an inherited one
};

/// The service manager's socket; else the configured one, which may be a
/// predecessor's. A predecessor's own socket that is not that one is closed once
/// the other one listens, and its files are removed. If the configured one
/// cannot listen, a predecessor's is served as before, and `config.socket` says
/// so. Throws upcase::listen_error where there is none.
listening listen(inheritance& inherited, upcase::settings& config, upcase::log& journal);

}  // namespace upcased
