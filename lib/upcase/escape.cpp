// escape: one pass to see whether anything needs it, one to do it.

#include <upcase/escape.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace upcase {
namespace {

bool is_plain(char c) {
  constexpr std::string_view signs = "-_./:+@,=";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         signs.find(c) != std::string_view::npos;
}

void append(std::string& result, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= ' ' && byte < 0x7F) {
    result += c;
  } else {
    fmt::format_to(std::back_inserter(result), "\\x{:02x}", byte);
  }
}

}  // namespace

std::string escape(std::string_view bytes) {
  if (!bytes.empty() && std::ranges::all_of(bytes, is_plain)) {
    return std::string(bytes);
  }
  std::string result = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    append(result, c);
  }
  return result += '"';
}

std::string printable(std::string_view sentence) {
  std::string result;
  for (const char c : sentence) {
    append(result, c);
  }
  return result;
}

}  // namespace upcase
