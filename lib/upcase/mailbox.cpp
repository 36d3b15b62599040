// mailbox: a vector under a lock, and a bell.

#include <upcase/mailbox.hpp>

namespace upcase {

void mailbox::put(job posted) {
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    first = jobs_.empty();
    jobs_.push_back(std::move(posted));
  }
  if (first) {
    bell_.ring();
  }
}

void mailbox::empty() {
  if (!bell_.came()) {
    return;
  }
  std::vector<job> posted;
  {
    const std::scoped_lock lock(mutex_);
    posted.swap(jobs_);
  }
  for (job& each : posted) {
    each();
  }
}

}  // namespace upcase
