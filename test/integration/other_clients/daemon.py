"""daemon: a running upcased in a directory of its own."""

import os
import signal
import subprocess
import sys
import time

PATIENCE = 60  # seconds


def wait_until(condition, failure):
    """Ends the test with the text that `failure` returns if that takes too long."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            sys.exit(failure())
        time.sleep(0.02)


class Daemon:
    """An upcased whose runtime directory is `place`."""

    def __init__(self, program, place, configuration=""):
        self.place = place
        place.mkdir(mode=0o755, exist_ok=True)
        self.socket = place / "upcased.sock"
        self.clients = place / "clients"
        self.configuration = place / "upcased.conf"
        self.configuration.write_text(configuration, encoding="utf-8")
        self.log = place / "log"
        self.program = program
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def start(self):
        """Returns once it serves."""
        before = self.count("state=serving")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--config", self.configuration],
                env={**os.environ, "RUNTIME_DIRECTORY": str(self.place)},
                stderr=log,
            )
        self.wait_for("state=serving", before + 1)

    def hand_over(self):
        """A restart without systemd; returns once the successor serves."""
        before = self.count("state=serving")
        self.process.send_signal(signal.SIGUSR2)
        self.wait_for("state=serving", before + 1)

    def crash(self):
        """kill -9, and a new start."""
        self.process.kill()
        self.process.wait()
        self.start()

    def logged(self):
        """All that it has logged."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def count(self, text):
        """How often it has logged this."""
        return self.logged().count(text)

    def wait_for(self, text, times=1):
        """Returns once it has logged this so often."""
        wait_until(
            lambda: self.count(text) >= times or self.process.poll() is not None,
            lambda: f"never logged: {text}\n{self.logged()}",
        )
        if self.count(text) < times:
            sys.exit(f"upcased has ended:\n{self.logged()}")
