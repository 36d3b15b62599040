// shortcomings: what a process that has taken over clients does without. A first
// start would have failed for it.

#pragma once

#include <string>
#include <upcase/log.hpp>
#include <vector>

namespace upcased {

class shortcomings {
 public:
  /// `refused` is what is wrong with the configuration where a predecessor's is
  /// served instead. Each is logged, here and in `add`.
  shortcomings(std::vector<std::string> refused, upcase::log& journal);

  /// What mends it.
  enum class until { reload, restart };

  /// Something that the configuration wants and that cannot be had.
  void add(const std::string& problem, until end);

  /// Drops what a reload that succeeded has mended.
  void reloaded();

  /// For the status; empty if there are none.
  [[nodiscard]] std::string remark() const;

 private:
  upcase::log& journal_;
  std::vector<std::string> refused_;
  std::vector<std::string> missing_until_reload_;
  std::vector<std::string> missing_;
};

/// The first of several, and how many more there are.
std::string first_of(const std::vector<std::string>& problems);

}  // namespace upcased
