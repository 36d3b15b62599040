// own_directory: making a directory, and what its mode lets others do in it.

#pragma once

#include <filesystem>
#include <sys/stat.h>
#include <system_error>

namespace upcase {

/// Makes a directory with exactly this mode, whatever the umask; one that is
/// there already is left as it is. Nothing that is put in its place meanwhile
/// gets the mode.
std::error_code make_directory(const std::filesystem::path& path, mode_t mode) noexcept;

/// Whether others may rename or remove files in it that are not theirs.
bool others_may_rename_in(const struct stat& directory) noexcept;

}  // namespace upcase
