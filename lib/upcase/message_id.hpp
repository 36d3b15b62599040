// message_id: which kind of event this is, for the journal.
//
// journald finds all messages of one kind by their MESSAGE_ID, and `journalctl
// -x` prints beneath each what the catalogue (packaging/upcased.catalog) has to
// say of that kind: what it means, and what to do. So every verdict has an id of
// its own. An id, once given, is never given to anything else.

#pragma once

#include <span>
#include <string_view>
#include <upcase/log.hpp>

namespace upcase {

/// Events of the same word of which one field has this value (any, where `value` is
/// empty); those of the word that are no other kind, where `key` is empty.
struct message_kind {
  event what;
  std::string_view key;
  std::string_view value;
  std::string_view id;  ///< 128 bits as 32 hexadecimal digits (sd-id128(3))
};

/// All of them.
std::span<const message_kind> message_kinds() noexcept;

std::string_view message_id(event what, log_fields fields) noexcept;

}  // namespace upcase
