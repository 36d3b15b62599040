"""mutant: small faults of the kind that slip into a late commit.

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
