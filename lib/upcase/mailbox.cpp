// mailbox: a list under a lock, and a bell.

#include <upcase/mailbox.hpp>

namespace upcase {

mailbox::~mailbox() {
  posted_.clear_and_dispose([](entry* left) { left->discard(); });
}

void mailbox::put(entry& posted) noexcept {
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    first = posted_.empty();
    posted_.push_back(posted);
  }
  if (first) {
    bell_.ring();
  }
}

void mailbox::empty() {
  if (!bell_.came()) {
    return;
  }
  entries posted;
  {
    const std::scoped_lock lock(mutex_);
    posted.swap(posted_);
  }
  posted.clear_and_dispose([](entry* next) { next->call(); });
}

}  // namespace upcase
