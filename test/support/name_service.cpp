// name_service: a library to preload, and where it looks for its orders.

#include "support/name_service.hpp"

#include <upcase/system_calls.hpp>

namespace test {

std::vector<std::string> name_service::environment() const {
  // AddressSanitizer insists on being the first library otherwise.
  const std::string sanitizer(upcase::environment("ASAN_OPTIONS"));
  return {
      "LD_PRELOAD=" PRELOADED_NAME_SERVICE, "TEST_NAME_SERVICE=" + place_.path().native(),
      "ASAN_OPTIONS=" + sanitizer + (sanitizer.empty() ? "" : ":") + "verify_asan_link_order=0"};
}

}  // namespace test
