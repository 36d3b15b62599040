// pending_output: a new home for all bytes whenever there are more.

#include <upcase/pending_output.hpp>

#include <algorithm>

namespace upcase {

void pending_output::append(std::span<const char> more) {
  const std::size_t size = bytes_.size() + more.size();
  const auto home = std::make_shared_for_overwrite<char[]>(size);
  std::ranges::copy(more, std::ranges::copy(bytes_, home.get()).out);
  *this = {{home.get(), size}, home};
}

void pending_output::consume(std::size_t count) noexcept {
  bytes_ = bytes_.subspan(count);
  if (bytes_.empty()) {
    clear();
  }
}

}  // namespace upcase
