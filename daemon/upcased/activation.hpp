// activation: descriptors that the service manager passes (sd_listen_fds(3)).

#pragma once

#include <string>
#include <upcase/file_descriptor.hpp>
#include <vector>

namespace upcased {

struct passed_descriptor {
  std::string name;
  upcase::file_descriptor fd;
};

/// All that it passed to this process, with FDNAME= or FileDescriptorName=;
/// once. Throws start_error if they cannot be taken.
std::vector<passed_descriptor> take_passed_descriptors();

}  // namespace upcased
