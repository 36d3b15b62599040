// shortage: errors that speak of this process or machine, not of the client.
//
// They pass by themselves (a client leaves, memory is freed), so they call for
// patience; any other error of the same call is about its one connection.

#pragma once

#include <cerrno>

namespace upcase {

/// Whether `error` (an errno value) means: no descriptors or no memory left.
constexpr bool is_shortage(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace upcase
