// handover_record: what one process tells the next about the clients that it
// hands over, as bytes.
//
// The two run on one machine, one after the other, but may be of different
// versions: so the record has a version, and everything in it is read as if a
// stranger had written it. Numbers are in the machine's own byte order: the
// magic number tells it, and a record in the other one is refused. A change of
// layout is a new version, and an old record is then refused whole: better that
// clients see an end of file than another's bytes.
//
//   head     magic, version, number of clients, served, refused
//   client   id, uid, gid, pid, since, bytes in, bytes out, whether the log has
//            heard of it, size of pending, and the pending output itself
//
// Descriptors travel beside it (carrier.hpp), in the same order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <upcase/session.hpp>
#include <variant>
#include <vector>

namespace upcase {

/// All that goes from one server to the next.
struct cargo {
  std::uint64_t served = 0;  ///< ever admitted, and so the newest client's id
  std::uint64_t refused = 0;
  std::vector<admitted_client> clients;
};

inline constexpr std::uint32_t handover_version = 2;

/// The bytes of the head, for `clients` clients to follow.
std::string encode_head(const cargo& load, std::size_t clients);

/// The bytes of one client, all but its pending output, which follows.
std::string encode_client(const admitted_client& client);

/// Reads a whole record: clients without descriptors and charges, or one
/// clause that says what is wrong with it. Their pending output stays where it
/// is, in the record, which lives as long as `owner` does. Pure; safe with any
/// input.
std::variant<cargo, std::string> decode_record(std::span<const char> record,
                                               const std::shared_ptr<const void>& owner);

}  // namespace upcase
