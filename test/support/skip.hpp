// skip: a case that cannot run here says why, and CTest counts it as skipped.

#pragma once

#include <iostream>
#include <unistd.h>

/// Leaves the test case unless `condition` holds.
#define SKIP_UNLESS(condition, reason)                   \
  do {                                                   \
    if (!(condition)) {                                  \
      std::cout << "SKIPPED: " << (reason) << std::endl; \
      BOOST_TEST_CHECK(true);                            \
      return;                                            \
    }                                                    \
  } while (false)

namespace test {

inline bool is_root() { return ::geteuid() == 0; }

}  // namespace test
