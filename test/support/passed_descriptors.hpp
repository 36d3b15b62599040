// passed_descriptors: starting a program as socket activation does
// (sd_listen_fds(3)).

#pragma once

#include <functional>
#include <string>
#include <vector>

namespace test {

struct passed_descriptor {
  std::string name;
  int fd;
};

/// For process_options::before_exec: the program finds the descriptors from 3
/// on, and the variables that say so.
std::function<bool()> passing(std::vector<passed_descriptor> descriptors);

}  // namespace test
