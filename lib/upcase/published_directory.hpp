// published_directory: how clients learn where the daemon at a socket wants their
// socket files, if that is not `clients` beside the socket.
//
// A symbolic link beside the socket says it: its target is the directory's path as
// clients must write it. Nobody follows the link; it is read.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace upcase {

/// The link's name: the socket's with ".clients".
std::filesystem::path published_name(const std::filesystem::path& socket);

/// Has the link name the first of `directories`; or removes it, where one of them is
/// `clients` beside the socket or there are none. One sentence if that fails.
std::optional<std::string> publish_client_directory(
    const std::filesystem::path& socket, const std::vector<std::filesystem::path>& directories);

/// Removes the link, if it is this user's.
void withdraw_client_directory(const std::filesystem::path& socket) noexcept;

/// What the link says; nothing if there is none, or if it belongs to others than
/// root, this user, and those who could replace the socket itself: its owner and the
/// owner of the directory in which both lie; or if others may rename files there, or
/// the link has further names.
std::optional<std::filesystem::path> find_published_client_directory(
    const std::filesystem::path& socket);

}  // namespace upcase
