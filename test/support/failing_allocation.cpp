// failing_allocation: operator new, counting down.

#include "support/failing_allocation.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

// The one that is counted down to 0 fails; below that, none does.
std::atomic<long> left = -1;

// Null where there is none.
void* allocate(std::size_t size) noexcept {
  if (left.load(std::memory_order_relaxed) >= 0 && left.fetch_sub(1) == 0) {
    return nullptr;
  }
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace

void* operator new(std::size_t size) {
  void* const result = allocate(size);
  if (result == nullptr) {
    throw std::bad_alloc();
  }
  return result;
}
// By default it calls the one above, but AddressSanitizer brings its own.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return allocate(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace test {

failing_allocation::failing_allocation(std::size_t skipped) noexcept {
  left = static_cast<long>(skipped);
}

failing_allocation::~failing_allocation() { left = -1; }

bool failing_allocation::happened() const noexcept { return left < 0; }

}  // namespace test
