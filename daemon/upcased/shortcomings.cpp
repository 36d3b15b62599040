// shortcomings: into the log at once, and into the status.

#include "shortcomings.hpp"

#include <fmt/format.h>
#include <utility>

namespace upcased {

using upcase::event;
using upcase::log_level;

shortcomings::shortcomings(std::vector<std::string> refused, upcase::log& journal)
    : journal_(journal), refused_(std::move(refused)) {
  for (const std::string& problem : refused_) {
    journal_.write(log_level::error, event::status,
                   {{"configuration", "refused"}, {"problem", problem}});
  }
  if (!refused_.empty()) {
    journal_.write(log_level::warning, event::status,
                   {{"configuration", "kept"},
                    {"reason", "the new one is refused, the old one goes on; mend it and reload"}});
  }
}

void shortcomings::add(const std::string& problem, until end) {
  (end == until::reload ? missing_until_reload_ : missing_).push_back(problem);
  journal_.write(log_level::error, event::status, {{"restart", "partial"}, {"problem", problem}});
}

void shortcomings::reloaded() {
  refused_.clear();
  missing_until_reload_.clear();
}

std::string shortcomings::remark() const {
  if (!refused_.empty()) {
    return "restarted, still with the old configuration: " + first_of(refused_);
  }
  auto missing = missing_;
  missing.insert(missing.end(), missing_until_reload_.begin(), missing_until_reload_.end());
  return missing.empty() ? "" : "restarted, but " + first_of(missing);
}

std::string first_of(const std::vector<std::string>& problems) {
  const std::size_t more = problems.size() - 1;
  return fmt::format("{}{}", problems.front(),
                     more == 0 ? "" : fmt::format(" (and {} more)", more));
}

}  // namespace upcased
