"""daemon: faults in daemon/, the daemon and its client."""

from mutant import of

MUTANTS = [
]
