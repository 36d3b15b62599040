// verdict: the words and their meaning, side by side in one table.

#include <upcase/verdict.hpp>

#include <array>
#include <cstddef>

namespace upcase {
namespace {

struct entry {
  std::string_view word;
  std::string_view meaning;
};

constexpr std::array<entry, 17> table{{
    {"allowed", "served"},
    {"unnamed", "the client bound no socket file of its own before it connected"},
    {"abstract", "the client bound an abstract name, which has no owner; a file is needed"},
    {"too-long", "the path of the client's socket file is longer than 107 bytes"},
    {"unmapped-uid", "the client's user has no number here (a foreign user namespace)"},
    {"relative", "the path of the client's socket file does not begin with '/'"},
    {"outside", "the client's socket file is not directly in a client-directory"},
    {"not-found", "no file can be seen at the client's path"},
    {"crossed-mount", "something is mounted over the client's path"},
    {"not-a-socket", "what stands at the client's path is not a socket"},
    {"linked", "the client's socket file has further hard links"},
    {"mode", "the client's socket file must be rwx for its owner and closed to others"},
    {"stale", "the client's socket file is older than client-max-age"},
    {"uid-mismatch", "the client's socket file belongs to somebody else"},
    {"busy", "too many clients, or too many of this user's, wait for their files to be examined"},
    {"denied", "the access rules do not let this user in"},
    {"over-quota", "this user has max-clients-per-user connections already"},
}};

static_assert(table.size() == static_cast<std::size_t>(verdict::over_quota) + 1);

const entry& look_up(verdict why) noexcept { return table.at(static_cast<std::size_t>(why)); }

}  // namespace

std::string_view to_string(verdict why) noexcept { return look_up(why).word; }

std::string_view explain(verdict why) noexcept { return look_up(why).meaning; }

}  // namespace upcase
