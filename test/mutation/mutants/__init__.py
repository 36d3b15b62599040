"""mutants: what is planted; a file for each part of the tree."""

from . import daemon, library

MUTANTS = library.MUTANTS + daemon.MUTANTS
