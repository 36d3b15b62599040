// settings_file: a configuration file's text, and whether it can be trusted.

#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <system_error>
#include <variant>
#include <vector>

namespace upcase {

/// The file's text, or why there is none. A pipe is not waited for, and a file
/// without end is given up. If others than root and `daemon`, the user who runs
/// the daemon, may write it, a sentence is added to `warnings`.
std::variant<std::string, std::error_code> read_settings_file(const std::filesystem::path& path,
                                                              uid_t daemon,
                                                              std::vector<std::string>& warnings);

/// Warns likewise of a directory in which others may put such a file. One that
/// does not exist is nobody's.
void examine_settings_directory(const std::filesystem::path& path, uid_t daemon,
                                std::vector<std::string>& warnings);

}  // namespace upcase
