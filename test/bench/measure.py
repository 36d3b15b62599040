"""measure: rounds of all servers under all loads, into results.json.

A round takes one row after another, and in each row every server once, in an
order shuffled anew: what the machine does meanwhile hits all of them alike, and
a server is compared with the yardstick of the same round. Every measurement has
a server started for it.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import machine
import rows
import servers

STOPPING_SECONDS = 5
LOAD_SECONDS = 120


class Failed(Exception):
  pass


class Bench:
  def __init__(self, build: pathlib.Path, client: pathlib.Path, file: pathlib.Path,
               milliseconds: int):
    self.load = build / "build/load/bench-load"
    self.client = client
    self.file = file
    self.milliseconds = milliseconds
    self.load_processor, self.server_processor = machine.two_processors()

  def run(self, server: servers.Server, row: rows.Row) -> dict:
    if server.name == "tr":
      return self.time_file(server.command)
    # Sockets and clients' files lie where a runtime directory does: in memory.
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    place = pathlib.Path(tempfile.mkdtemp(prefix="upcase-bench.", dir=base))
    try:
      clients = place / "clients"
      clients.mkdir()
      clients.chmod(0o1733)
      with open(place / "log", "w+b") as log:
        processor = self.load_processor if row.shared else self.server_processor
        process = self.start(server, place, log, processor)
        try:
          with Neighbour(self.server_processor if row.neighbour else None) as neighbour:
            measured = (self.send_file(process, row, place) if row.file else
                        self.drive(process, row, place))
          return measured | neighbour.share()
        finally:
          self.stop(process)
    finally:
      shutil.rmtree(place, ignore_errors=True)

  def start(self, server, place, log, processor):
    names = {"socket": str(place / "socket"), "clients": str(place / "clients")}
    return subprocess.Popen(
        [part.format(**names) for part in server.command],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        env={**os.environ, "LC_ALL": "C"},
        preexec_fn=lambda: os.sched_setaffinity(0, processor))

  def send_file(self, process, row, place) -> dict:
    """A GiB through the row's own client, which has a processor of its own."""
    names = {"socket": place / "socket", "clients": place / "clients", "upcase": self.client}
    for _ in range(STOPPING_SECONDS * 100):
      if names["socket"].exists():
        break
      time.sleep(0.01)
    clock = (~process.pid << 3) | 2  # clock_getcpuclockid(3)
    before = time.clock_gettime(clock)
    measured = self.time_file([part.format(**names) for part in row.load])
    return measured | {"server_ns": (time.clock_gettime(clock) - before) * 1e9}

  def time_file(self, command) -> dict:
    with open(self.file, "rb") as source, open("/dev/null", "wb") as sink:
      begun = time.monotonic()
      done = subprocess.run(
          command, stdin=source, stdout=sink, stderr=subprocess.PIPE, text=True,
          timeout=LOAD_SECONDS, preexec_fn=lambda: os.sched_setaffinity(0, self.load_processor))
      seconds = time.monotonic() - begun
    if done.returncode != 0:
      raise Failed(done.stderr.strip())
    return {"seconds": seconds}

  def drive(self, process, row, place) -> dict:
    command = [
        str(self.load), "--socket", str(place / "socket"), "--clients", str(place / "clients"),
        "--server", str(process.pid), "--count", str(row.clients),
        "--time-ms", str(max(self.milliseconds, row.least_ms)),
        "--warm-up-ms", str(self.milliseconds // 4), *row.load,
    ]
    try:
      done = subprocess.run(
          command, capture_output=True, text=True, timeout=LOAD_SECONDS,
          preexec_fn=lambda: os.sched_setaffinity(0, self.load_processor))
    except subprocess.TimeoutExpired as error:
      raise Failed(f"not done in {LOAD_SECONDS} s") from error
    if done.returncode != 0:
      log = (place / "log").read_text(errors="replace").strip().splitlines()[-1:]
      raise Failed("; ".join([done.stderr.strip(), *log]))
    return json.loads(done.stdout)

  def stop(self, process) -> None:
    """Ends the server's process group, which is its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
      try:
        os.killpg(process.pid, number)
        process.wait(STOPPING_SECONDS)
      except (ProcessLookupError, subprocess.TimeoutExpired):
        continue
    process.wait()


class Neighbour:
  """A busy loop on `processor`, and how much of it that it got; nothing for None."""

  def __init__(self, processor: set | None):
    self.processor = processor
    self.got = {}

  def __enter__(self):
    if self.processor:
      self.begun = time.monotonic()
      self.process = os.posix_spawn(
          sys.executable, [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {self.processor})\n"
                           "while True: pass"], os.environ)
    return self

  def __exit__(self, *_):
    if self.processor:
      os.kill(self.process, signal.SIGKILL)
      used = os.wait4(self.process, 0)[2]
      elapsed = time.monotonic() - self.begun
      self.got = {"neighbour_busy": (used.ru_utime + used.ru_stime) / elapsed}

  def share(self) -> dict:
    return self.got


class Results:
  """Lists of equal length, one number a round: what is compared stands at the
  same place."""

  def __init__(self):
    self.rows = collections.defaultdict(lambda: collections.defaultdict(list))
    self.absent = collections.defaultdict(dict)
    self.failures = []

  def add(self, row, server, measured: dict) -> None:
    self.rows[row.name][server.name].append(measured)

  def fail(self, row, server, reason: str) -> None:
    self.failures.append({"row": row.name, "server": server.name, "reason": reason})
    self.rows[row.name][server.name].append({})

  def as_columns(self) -> dict:
    return {
        row: {server: columns(measured) for server, measured in of_row.items()}
        for row, of_row in self.rows.items()
    }


def columns(measured: list[dict]) -> dict:
  names = list(dict.fromkeys(name for one in measured for name in one))
  return {name: [one.get(name) for one in measured] for name in names}


def taking_part(row, all_servers, most_clients, results):
  result = []
  for server in all_servers:
    here = rows.memory_of_forking(server, row) if row.name == "memory" else row
    reason = here.absent(server, most_clients)
    if reason:
      results.absent[row.name][server.name] = reason
    else:
      result.append((server, here))
  return result


def measure(bench, all_rows, all_servers, rounds, most_clients) -> Results:
  results = Results()
  begun = time.monotonic()
  for number in range(rounds):
    for row in all_rows:
      if number % row.every != 0:
        continue
      order = taking_part(row, all_servers, most_clients, results)
      random.shuffle(order)
      for server, here in order:
        elapsed = int(time.monotonic() - begun)
        print(f"round {number + 1}/{rounds} {elapsed:5} s  {row.name} {server.name}".ljust(70),
              end="\r" if sys.stdout.isatty() else "\n", flush=True)
        try:
          results.add(row, server, bench.run(server, here))
        except Failed as error:
          results.fail(row, server, str(error))
          print(f"FAILED: {row.name} {server.name}: {error}", flush=True)
  return results


def text_file(wanted: bool):
  """In memory, lest a disk be measured."""
  file = tempfile.NamedTemporaryFile(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
  line = b"The quick brown fox jumps over the lazy dog. "
  chunk = (line * (2**20 // len(line) + 1))[:2**20]
  for _ in range(rows.FILE_BYTES // len(chunk) if wanted else 0):
    file.write(chunk)
  file.flush()
  return file


def raise_descriptor_limit() -> int:
  """Returns how many clients fit."""
  _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
  resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
  reserve = 100
  return hard - reserve


def chosen(given: str, all_of: list, kind: str) -> list:
  if not given:
    return all_of
  names = given.split(",")
  unknown = set(names) - {one.name for one in all_of}
  if unknown:
    sys.exit(f"measure: no such {kind}: {', '.join(sorted(unknown))}; there are: "
             f"{', '.join(one.name for one in all_of)}")
  return [one for one in all_of if one.name in names]


def main() -> None:
  parser = argparse.ArgumentParser()
  parser.add_argument("--source", type=pathlib.Path, required=True)
  parser.add_argument("--build", type=pathlib.Path, required=True)
  parser.add_argument("--daemon", type=pathlib.Path, required=True)
  parser.add_argument("--rustc", required=True)
  parser.add_argument("--out", type=pathlib.Path, required=True)
  parser.add_argument("--rounds", type=int, required=True)
  parser.add_argument("--time-ms", type=int, required=True)
  parser.add_argument("--rows", default="")
  parser.add_argument("--servers", default="")
  given = parser.parse_args()

  about = machine.describe(given.source, given.rustc)
  most_clients = raise_descriptor_limit()
  all_servers = chosen(given.servers, servers.all_servers(given.build, given.daemon),
                       "server")
  all_rows = chosen(given.rows, rows.all_rows(most_clients), "row")
  with text_file(any(row.file for row in all_rows)) as file:
    bench = Bench(given.build, given.daemon.with_name("upcase"), pathlib.Path(file.name),
                  given.time_ms)
    bystanders = machine.Bystanders()
    results = measure(bench, all_rows, all_servers, given.rounds, most_clients)
  about["bystanders"] = round(bystanders.share(), 3)
  given.out.mkdir(parents=True, exist_ok=True)
  (given.out / "results.json").write_text(json.dumps({
      "machine": about,
      "rounds": given.rounds,
      "milliseconds": given.time_ms,
      "processors": {"load": sorted(bench.load_processor),
                     "server": sorted(bench.server_processor)},
      "servers": {one.name: {"title": one.title, "command": " ".join(
          pathlib.Path(part).name if part.startswith("/") and part != "/dev/null" else part
          for part in one.command)} for one in all_servers},
      "rows": results.as_columns(),
      "absent": results.absent,
      "failures": results.failures,
  }, ensure_ascii=False) + "\n")


if __name__ == "__main__":
  main()
