"""mutants: small faults of the kind that slip into a late commit.

Each names a file, text that stands in it exactly once, what replaces it, and
what is then wrong. `tests` are those, besides the unit tests, that should
notice (a regular expression for ctest -R); `timed` says that noticing it
involves time; `equivalent` is the reason why nobody could notice it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    file: str
    old: str
    new: str
    why: str
    tests: str = ""
    timed: bool = False
    equivalent: str = ""


def of(file, *faults):
    """Several of one file, each (old, new, why) and, if need be, a dict of the rest."""
    return [Mutant(f"lib/upcase/{file}" if "/" not in file else file, old, new, why,
                   **(rest[0] if rest else {})) for old, new, why, *rest in faults]


MUTANTS = [
    *of("client_directory.cpp",
        ("status.st_uid != 0 && status.st_uid != daemon", "false", "owner check dropped"),
        ("if (others_may_rename_in(status))", "if (false)", "sticky check dropped"),
        ("S_ISVTX | S_IRWXU", "S_IRWXU", "made without the sticky bit")),
    *of("own_directory.cpp",
        ("(directory.st_mode & S_ISVTX) == 0", "true", "sticky directories refused"),
        ("!made || ::fchmod(made.get(), mode) != 0", "!made", "mode left to the umask")),
    *of("peer.cpp",
        ("errno != ERANGE || size / sizeof(gid_t) <= groups.size()", "true",
         "no retry where the groups do not fit"),
        ("      groups.resize(size / sizeof(gid_t));\n      return groups;", "      return groups;",
         "groups that nobody is in")),
    *of("access.cpp",
        ("contains(deny_users, who.uid) || ", "", "denied users are let in"),
        ("contains(deny_groups, who.gid) ||", "", "the primary group is not asked for a denial"),
        ("(!supplementary || intersect(deny_groups, *supplementary))",
         "(supplementary && intersect(deny_groups, *supplementary))",
         "unknown groups are not denied"),
        ("if (allow_users.empty() && allow_groups.empty())", "if (allow_users.empty())",
         "allow-group alone lets everybody in"),
        ("         (supplementary && intersect(allow_groups, *supplementary))",
         "         (!supplementary || intersect(allow_groups, *supplementary))",
         "unknown groups are allowed")),
    *of("quota.cpp",
        ("limit_ != 0 && held >= limit_", "limit_ != 0 && held > limit_", "one more than the limit"),
        ("  ++held;\n  return charge", "  return charge", "an acquired charge is not counted"),
        ("  ++held_[uid];", "  held_[uid];", "a taken charge is not counted"),
        ("found->second <= limit_", "found->second < limit_", "one too many given back"),
        ("--held->second == 0", "--held->second == 1", "an account is dropped with a charge in it")),
    *of("deadlines.cpp",
        ("d.looked_at_ <= when", "d.looked_at_ >= when", "an earlier time is ignored"),
        ("return place == queue_.begin();", "return false;", "a first deadline sets no timer"),
        ("looked_at_ <= now", "looked_at_ < now", "a deadline of this very moment is left"),
        ("first.due_ > now", "false", "a moved deadline comes at its old time")),
    *of("event_loop.cpp",
        ("  const std::span<const epoll_event> batch = ready_.wait(how);\n"
         "  now_ = std::chrono::steady_clock::now();",
         "  now_ = std::chrono::steady_clock::now();\n"
         "  const std::span<const epoll_event> batch = ready_.wait(how);",
         "the clock is read before the sleep"),
        ("    deadlines_.expire(now_);\n    wait_for_deadline();", "    deadlines_.expire(now_);",
         "the timer is not set again"),
        ("deadlines_.set(d, now_ + after)", "deadlines_.set(d, now_)", "deadlines come at once")),
    *of("mailbox.cpp",
        ("  if (first) {\n    bell_.ring();\n  }", "", "nobody is woken for a job")),
    *of("worker_pool.cpp",
        ("workers_, {}, [](const auto& candidate) { return candidate->clients(); }",
         "workers_, {}, [](const auto&) { return 0; }", "always the first loop")),
    *of("acceptor.cpp",
        ("accepts() && !owner_.full(); ++taken", "accepts(); ++taken",
         "max-clients not asked within a batch"),
        ("now - *told_full_ >= between_full_messages", "true", "being full is logged every time")),
    *of("worker.cpp",
        ("  gone.reset();\n  drop_client();", "  drop_client();\n  gone.reset();",
         "a client is said to be gone before its socket is closed"),
        ("now.get() != admitted_on", "false",
         "a client admitted before a reload and served after it is not asked about again")),
    *of("credentials.cpp",
        (" &&\n      named.st_ino == passed.inode && named.st_uid == passed.who.uid", "", "another file of the same name is removed")),
    *of("stderr_log.cpp",
        ("torn_ = static_cast<std::size_t>(taken) < line.size();", "torn_ = false;",
         "a torn line is glued to the next"),
        ("if (dropped_ > 1)", "if (false)", "dropped lines are not counted")),
    *of("settings_loader.cpp",
        ("    std::ranges::sort(files);\n", "", "drop-ins are not sorted"),
        ("replaced.insert(name).second", "false", "a list on the command line adds to the files'")),
]
