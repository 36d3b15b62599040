// activation: through libsystemd.

#include "activation.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <upcase/system_calls.hpp>

#include "start_error.hpp"

namespace upcased {

std::vector<passed_descriptor> take_passed_descriptors() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) {
    throw start_error(EX_OSERR, fmt::format("cannot take the service manager's descriptors: {}",
                                            upcase::describe(-count)));
  }
  std::vector<passed_descriptor> result;
  for (int i = 0; i < count; ++i) {
    const std::unique_ptr<char, decltype(&std::free)> name(names[i], &std::free);
    result.push_back({name.get(), upcase::file_descriptor(SD_LISTEN_FDS_START + i)});
  }
  std::free(names);
  return result;
}

}  // namespace upcased
