"""daemon: faults in daemon/, the daemon and its client."""

from mutant import of

MUTANTS = [
    *of("daemon/upcased/status_report.cpp",
        ("counts.full || counts.short_of != 0", "false", "a pause is not in the status"),
        ("  if (server_ != nullptr) {\n    send();\n  }", "  changed();",
         "a reload ends before its reason is in the status")),
]
