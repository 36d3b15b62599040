// escape: other people's bytes on our terminal and in our log.
//
// A client chooses the name of its socket file; it may hold newlines that fake
// a log line or sequences that a terminal obeys. Everything but printable
// ASCII is therefore written as \xNN.

#pragma once

#include <string>
#include <string_view>

namespace upcase {

/// In double quotes, with \" and \\ for those two and \xNN for every byte that
/// is not printable ASCII. Plain words (letters, digits and -_./:+@,=) come
/// back as they are, without quotes.
std::string escape(std::string_view bytes);

/// A sentence that may quote such bytes: without quotes of its own, and with \xNN
/// for every byte that is not printable ASCII. A terminal obeys none of what
/// is left.
std::string printable(std::string_view sentence);

}  // namespace upcase
