"""report: results.json as a table (Markdown) and plots."""

import argparse
import json
import pathlib
import sys

import plots
import rows
import summary
from servers import BASELINE

# What upcased is held to: with which settings (a server's name), row, metric, at most or at least, so much.
TARGETS = [
    ("upcased", "ping-pong-64", "server_ns", "at most", 1.05),
    ("upcased", "ping-pong-1000", "server_ns", "at most", 1.05),
    ("upcased", "pipelined", "server_ns", "at most", 1.00),
    ("upcased", "bulk-1", "server_ns", "at most", 1.00),
    ("upcased", "bulk-8", "server_ns", "at most", 1.00),
    ("upcased", "connections", "rate", "at least", 0.95),
    ("upcased-auto", "ping-pong-1", "rate", "at least", 5.00),
    ("upcased-auto", "ping-pong-1", "server_ns", "at most", 0.45),
    ("upcased-auto", "bulk-1", "rate", "at least", 2.50),
    ("upcased-auto", "bulk-1", "server_ns", "at most", 0.60),
    ("upcased-auto", "pipelined", "server_ns", "at most", 1.00),
    ("upcased-auto", "shared-1", "rate", "at least", 0.97),
    ("upcased-auto", "shared-1", "server_ns", "at most", 1.03),
    ("upcased-auto", "shared-1", "p99_us", "at most", 1.10),
    ("upcased-auto", "shared-64", "rate", "at least", 0.97),
    ("upcased-auto", "shared-64", "server_ns", "at most", 1.03),
    ("upcased-auto", "shared-64", "p99_us", "at most", 1.10),
    ("upcased-auto", "shared-bulk-1", "rate", "at least", 0.97),
    ("upcased-auto", "shared-bulk-1", "server_ns", "at most", 1.03),
]
MEMORY_TARGET = 640

# As a share of all processors' time.
QUIET = 0.05


def markdown(header: list, body: list[list]) -> str:
  lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
  lines += ["| " + " | ".join(line) + " |" for line in body]
  return "\n".join(lines) + "\n"


def short(number: float | None) -> str:
  """Three digits, as people read them."""
  if number is None:
    return "-"
  if abs(number) >= 100:
    return f"{number:,.0f}"
  return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def with_quartiles(spread, form=lambda value: f"{value:.2f}") -> str:
  if spread is None:
    return "-"
  return f"{form(spread.median)} ({form(spread.low)} to {form(spread.high)})"


def per_server(results, of_rows, cell, only=None) -> str:
  """A table with a line a server and a column a row."""
  names = [name for name in results.servers() if any(results.has(row.name, name) for row in of_rows)]
  if only:
    names = [name for name in names if only(name)]
  body = [[results.title(name), *(cell(row, name) for row in of_rows)] for name in names]
  return markdown(["", *(row.title for row in of_rows)], body)


def cpu_cell(results):
  def cell(row, name):
    spread = results.spread(row.name, name, "server_ns")
    if spread is None:
      return "-"
    absolute = short(spread.median / 1e3) + " µs"
    if name == row.baseline:
      return f"1 = {absolute}"
    return f"{with_quartiles(results.ratio(row, name, 'server_ns'))}, {absolute}"
  return cell


def throughput_cell(results):
  def cell(row, name):
    spread = results.spread(row.name, name, "rate")
    if spread is None:
      return "-"
    if row.message >= 64 * 1024:
      return short(spread.median * row.message / 2**20) + " MiB/s"
    return short(spread.median)
  return cell


def latency_table(results) -> str:
  chosen = [row for row in rows.MAIN if row.name in ("ping-pong-1", "ping-pong-64")]
  metrics = [("p50_us", "p50"), ("p99_us", "p99"), ("p999_us", "p99.9")]
  header = [""] + [f"{label}, {row.clients} client{'s'[:row.clients > 1]}"
                   for row in chosen for _, label in metrics]
  body = []
  for name in results.servers():
    if not any(results.has(row.name, name) for row in chosen):
      continue
    body.append([results.title(name)] + [
        short(results.median(row.name, name, metric)) for row in chosen for metric, _ in metrics])
  return markdown(header, body)


def against_sleeping(results, of_rows, metrics) -> str:
  """A line a row and server; ratios to busy-poll = 0."""
  body = []
  for row in of_rows:
    for name in results.servers():
      if results.has(row.name, name) and name != row.baseline:
        body.append([row.title, results.title(name),
                     *(with_quartiles(results.ratio(row, name, metric)) for metric, _ in metrics)])
  return markdown(["", "", *(title for _, title in metrics)], body)


def load_table(results, of_rows) -> str:
  """What a server uses of a processor, and how long a round trip takes."""
  body = []
  for row in of_rows:
    for name in results.servers():
      if results.has(row.name, name):
        body.append([row.title, results.title(name),
                     f"{results.median(row.name, name, 'server_busy'):.4f}",
                     short(results.median(row.name, name, "p50_us")),
                     short(results.median(row.name, name, "p99_us"))])
  return markdown(["", "", "processor seconds a second", "p50, µs", "p99, µs"], body)


def files_table(results, of_rows) -> str:
  def cell(row, name):
    spread = results.spread(row.name, name, "seconds")
    if spread is None:
      return "-"
    server = results.median(row.name, name, "server_ns")
    return f"{spread.median:.2f} s" + (f", server CPU {server / 1e9:.2f} s" if server else "")
  return per_server(results, of_rows, cell)


def connections_table(results) -> str:
  row = rows.CONNECTIONS
  body = [
      [results.title(name),
       short(results.median(row.name, name, "rate")),
       with_quartiles(results.ratio(row, name, "rate")),
       short(scaled(results.median(row.name, name, "server_ns"), 1e-3)) + " µs",
       with_quartiles(results.ratio(row, name, "server_ns"))]
      for name in results.servers() if results.has(row.name, name)
  ]
  return markdown(["", "connections/s", f"to {results.title(row.baseline)}",
                   "server CPU each", "ratio"], body)


def scaled(number, factor):
  return None if number is None else number * factor


def memory_table(results) -> str:
  body = [
      [results.title(name), short(results.median("memory", name, "clients")),
       short(results.median("memory", name, "anonymous_bytes")),
       short(results.median("memory", name, "resident_bytes"))]
      for name in results.servers() if results.has("memory", name)
  ]
  return markdown(["", "clients", "user-space bytes a client", "resident bytes a client"], body)


def growth_table(results) -> str:
  growth = [rows.ping_pong(n) for n in rows.GROWTH]
  return per_server(results, growth, cpu_cell(results), only=lambda name: any(
      results.has(row.name, name) for row in growth[1:]))


def uppercase_table(path: pathlib.Path) -> str:
  by_name: dict = {}
  for one in json.loads(path.read_text())["benchmarks"]:
    name, size = one["name"].split("/")
    by_name.setdefault(name, {})[int(size)] = one["bytes_per_second"] / 1e9
  sizes = sorted(next(iter(by_name.values())))
  return markdown(["GB/s at -O2", *(f"{size:,} B" for size in sizes)],
                  [[name.replace("_", " "), *(short(speeds[size]) for size in sizes)]
                   for name, speeds in by_name.items()])


def targets_table(results) -> str:
  of_name = {row.name: row for row in rows.MAIN + rows.SHARED + [rows.CONNECTIONS]}
  body = []
  for server, name, metric, kind, bound in TARGETS:
    row = of_name[name]
    ratio = results.ratio(row, server, metric)
    if ratio is None:
      continue
    met = ratio.median <= bound if kind == "at most" else ratio.median >= bound
    what = {"server_ns": "server CPU a message", "rate": "rate", "p99_us": "p99"}[metric]
    where = ", one processor for both" if row.shared else ""
    body.append([f"{results.title(server)}, {row.title}{where}: {what} to {results.title(row.baseline)}", f"{kind} {bound:.2f}",
                 with_quartiles(ratio, lambda value: f"{value:.3f}"), "yes" if met else "no"])
  memory = results.median("memory", "upcased", "anonymous_bytes")
  if memory is not None:
    body.append(["upcased, user-space bytes an idle client", f"at most {MEMORY_TARGET}", short(memory),
                 "yes" if memory <= MEMORY_TARGET else "no"])
  return markdown(["", "target", "measured", "met"], body)


def notes(results) -> str:
  lines = []
  for row, absent in results.absent.items():
    of_reason: dict = {}
    for name, reason in absent.items():
      if reason != "measured elsewhere":
        of_reason.setdefault(reason, []).append(results.title(name))
    lines += [f"- {row}: no {', '.join(names)}: {reason}." for reason, names in of_reason.items()]
  for failure in results.failures:
    lines.append(f"- **Failed**: {failure['row']}, {results.title(failure['server'])}: "
                 f"{failure['reason']}.")
  busiest = sorted({results.title(name) for row in rows.MAIN for name in results.servers()
                    if results.generator_bound(row.name, name)})
  if busiest:
    lines.append("- The load generator was busier than the server somewhere in the throughput of: "
                 + ", ".join(busiest) + ". There the rate is the generator's as much as theirs; "
                 "the server's CPU a message is not touched by that.")
  return "\n".join(lines) + "\n"


def about(results) -> str:
  machine = results.machine
  versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items()
                       if version)
  others = machine["bystanders"]
  loud = "" if others < QUIET else " **It was not quiet: take nothing from these numbers.**"
  return (
      f"{machine['processor']}, {machine['cores']} cores, {machine['memory_mib'] / 1024:.0f} GiB, "
      f"virtual: {machine['virtual']}; {machine['system']}, Linux {machine['kernel']}; {versions}. "
      f"Source: {machine['commit']}. {results.rounds} round{'s'[:results.rounds > 1]} of {results.milliseconds} ms, server "
      f"on processor {results.processors['server'][0]}, load on "
      f"{results.processors['load'][0]}; {others:.1%} of the machine went to others meanwhile.{loud}\n")


def table(results, uppercase: pathlib.Path | None) -> str:
  main_rows = [row for row in rows.MAIN if row.name in results.row_names()]
  parts = ["# Results\n", about(results)]

  def section(title, text, wanted=True):
    if wanted:
      parts.extend([f"## {title}\n", text])

  present = results.row_names()
  yardstick = results.title(BASELINE)
  section("Targets", targets_table(results), "upcased" in results.servers())
  section("Server CPU a message",
          f"Median of the rounds' ratios to {yardstick}, their quartiles, and the median itself. A "
          "message of bulk is 256 KiB.\n\n"
          + per_server(results, main_rows, cpu_cell(results)), main_rows)
  section("Throughput", "Messages a second, one core for the server.\n\n"
          + per_server(results, main_rows, throughput_cell(results)), main_rows)
  section("One processor for both",
          "Server and clients on one processor; ratios to upcased with its default, busy-poll = 0.\n\n"
          + against_sleeping(results, rows.SHARED, [
              ("rate", "rate"), ("server_ns", "server CPU a message"), ("p99_us", "p99")]),
          "shared-1" in present)
  section("A neighbour",
          "A busy loop shares the server's processor; ratios to upcased with its default, busy-poll = 0. The "
          "last column is how much of the processor the loop gets.\n\n"
          + against_sleeping(results, rows.NEIGHBOUR, [
              ("rate", "rate"), ("server_ns", "server CPU a message"), ("p99_us", "p99"),
              ("neighbour_busy", "neighbour's share")]), "neighbour-1" in present)
  section("A file of a GiB", "The clients that people use, from a file in memory to /dev/null; "
          "client and server have a processor each.\n\n" + files_table(results, rows.FILES),
          "file-upcase" in present)
  section("Think times", "One client that sends 64 B every so often.\n\n"
          + load_table(results, rows.THINK), "think-10" in present)
  section("The price of spinning", "Clients that each send so often.\n\n"
          + load_table(results, rows.PRICE), "price-1-1" in present)
  section("Connections",
          "Bind, connect, one message, close; 32 clients at a time. Only upcased and the book's "
          "server ask who it is.\n\n" + connections_table(results), "connections" in present)
  section("Latency", "Of a round trip in µs, each client sending as soon as it has its answer.\n\n"
          + latency_table(results), "ping-pong-1" in present)
  section("Memory", "What one more idle client costs; the kernel's own memory not counted.\n\n"
          + memory_table(results), "memory" in present)
  section("From 1 to 10,000 clients", "Server CPU a message, ping-pong of 64 B, all clients "
          "active.\n\n" + growth_table(results), "ping-pong-10" in present)
  if uppercase and uppercase.exists():
    section("The byte loop", uppercase_table(uppercase))
  section("Notes", notes(results), results.absent or results.failures)
  return "\n".join(parts)


def main() -> int:
  parser = argparse.ArgumentParser()
  parser.add_argument("--results", type=pathlib.Path, required=True)
  parser.add_argument("--uppercase", type=pathlib.Path)
  parser.add_argument("--out", type=pathlib.Path, required=True)
  given = parser.parse_args()
  results = summary.Results(json.loads(given.results.read_text()))
  (given.out / "table.md").write_text(table(results, given.uppercase))
  plots.draw(results, given.out)
  return 1 if results.failures else 0


if __name__ == "__main__":
  sys.exit(main())
