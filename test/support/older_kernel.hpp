// older_kernel: Linux before 6.16, as far as a program can tell.

#pragma once

namespace test {

/// For process_options::before_exec: from here on, also after exec(2), this kernel
/// does not know SO_PASSRIGHTS. False if no filter of system calls can be set.
bool imitate_older_kernel() noexcept;

}  // namespace test
