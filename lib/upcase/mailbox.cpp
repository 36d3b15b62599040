// mailbox: a vector under a lock, and a bell.

#include <upcase/mailbox.hpp>

namespace upcase {

void mailbox::put(std::unique_ptr<letter> posted) {
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    first = letters_.empty();
    letters_.push_back(std::move(posted));
  }
  if (first) {
    bell_.ring();
  }
}

void mailbox::empty() {
  if (!bell_.came()) {
    return;
  }
  std::vector<std::unique_ptr<letter>> posted;
  {
    const std::scoped_lock lock(mutex_);
    posted.swap(letters_);
  }
  for (const auto& each : posted) {
    each->open();
  }
}

}  // namespace upcase
