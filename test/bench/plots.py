"""plots: gnuplot scripts and their pictures, as SVG and PNG."""

import pathlib
import subprocess

import rows

# Okabe and Ito's palette, told apart by every kind of eye; upcased in the one
# that stands out.
COLOURS = {
    "upcased": "#D55E00",
    "upcased-auto": "#8B3A00",
    "upcased-busy-poll": "#E69F00",
    "upcased-logging": "#F0A070",
    "epoll": "#000000",
    "epoll-check": "#555555",
    "asio": "#0072B2",
    "libuv": "#56B4E9",
    "tokio": "#009E73",
    "go": "#CC79A7",
    "socat": "#999999",
    "s6": "#C8C8C8",
    "tr": "#E0E0E0",
}
POINTS = {name: index + 1 for index, name in enumerate(COLOURS)}

COMMON = """\
set encoding utf8
set datafile missing "-"
set grid ytics back lc rgb "#dddddd" lt 1
set format y "%.10g"
set border 3
set tics nomirror
set key outside right top
"""


def on_two_lines(title: str) -> str:
  """Titles longer than a cluster of bars is wide."""
  return title.replace(", ", r"\n") if len(title) > 12 else title


def quoted(text: str) -> str:
  return '"' + text.replace('"', "'") + '"'


class Plot:
  def __init__(self, title: str, head: str):
    self.head = COMMON + f"set title {quoted(title)}\n" + head
    self.blocks = []
    self.curves = []

  def add(self, points: list, curve: str) -> None:
    """`points` are the lines of a data block; `curve` is how it is plotted."""
    name = f"$data{len(self.blocks)}"
    lines = "\n".join(" ".join("-" if value is None else str(value) for value in point)
                      for point in points)
    self.blocks.append(f"{name} << EOD\n{lines}\nEOD\n")
    self.curves.append(f"{name} {curve}")

  def draw(self, out: pathlib.Path, name: str) -> None:
    if not self.curves:
      return
    for ending, terminal in (
        ("svg", 'svg size 1000,480 dynamic background "white" font "sans-serif,13"'),
        ("png", 'pngcairo size 1500,720 background "white" font "sans-serif,14"')):
      script = (f"set terminal {terminal}\nset output {quoted(str(out / f'{name}.{ending}'))}\n"
                + self.head + "".join(self.blocks) + "plot " + ", \\\n  ".join(self.curves) + "\n")
      subprocess.run(["gnuplot"], input=script, text=True, check=True)


def bars(results, title, metric, top, name, out) -> None:
  """Clusters of bars, a cluster a row and a bar a server, that are ratios to the
  yardstick. What is higher than `top` is cut there, and its number written on it."""
  of_rows = [row for row in rows.MAIN if row.name in results.row_names()]
  taking_part = [server for server in results.servers()
                 if any(results.ratio(row, server, metric) for row in of_rows)]
  ticks = ", ".join(f"{quoted(on_two_lines(row.title))} {index}"
                    for index, row in enumerate(of_rows))
  plot = Plot(title, f"set ylabel \"ratio\"\nset yrange [0:{top}]\nset xtics ({ticks})\n"
              f"set xrange [-0.6:{len(of_rows) - 0.4}]\nset bmargin 4\nset style fill solid\n")
  width = 0.84 / max(1, len(taking_part))
  cut = []
  for place, server in enumerate(taking_part):
    points = []
    for index, row in enumerate(of_rows):
      spread = results.ratio(row, server, metric)
      if not spread:
        continue
      middle = index - 0.42 + (place + 0.5) * width
      points.append((middle, spread.median, spread.low, spread.high, width * 0.9))
      if spread.median > top:
        cut.append((middle, 0.98 * top, f"{spread.median:.1f}"))
    plot.add(points, f"using 1:2:5 with boxes lc rgb {quoted(COLOURS[server])} "
             f"title {quoted(results.title(server))}")
    plot.add(points, "using 1:3:(0):($4-$3) with vectors nohead lc rgb \"#444444\" notitle")
  if cut:
    plot.add(cut, "using 1:2:3 with labels rotate by 90 right tc rgb \"#000000\" notitle")
  plot.draw(out, name)


def cpu(results, out) -> None:
  bars(results, "Server CPU a message, relative to epoll in C (less is better)",
       "server_ns", 2.2, "cpu", out)


def throughput(results, out) -> None:
  bars(results, "Throughput, relative to epoll in C (more is better)",
       "rate", 1.3, "throughput", out)


def growth(results, out) -> None:
  plot = Plot("Server CPU a message as clients grow (less is better)",
              'set ylabel "µs, log scale"\nset logscale xy\nset xlabel "clients, ping-pong of 64 B"\n'
              'set xrange [0.8:14000]\nset format x "%.0f"\n')
  for server in results.servers():
    points = []
    for clients in rows.GROWTH:
      spread = results.spread(rows.ping_pong(clients).name, server, "server_ns")
      if spread:
        points.append((clients, spread.median / 1e3))
    if len(points) > 1:
      width = 3 if server == "upcased" else 1.5
      plot.add(points, f"using 1:2 with linespoints lw {width} pt {POINTS[server]} "
               f"lc rgb {quoted(COLOURS[server])} title {quoted(results.title(server))}")
  plot.draw(out, "growth")


def latency(results, out) -> None:
  chosen = [row for row in rows.MAIN if row.name in ("ping-pong-1", "ping-pong-64")]
  ticks = []
  servers = [server for server in results.servers()
             if any(results.has(row.name, server) for row in chosen)]
  columns = [(row, metric, label) for row in chosen
             for metric, label in (("p50_us", "p50"), ("p99_us", "p99"), ("p999_us", "p99.9"))]
  for index, (row, _, label) in enumerate(columns):
    ticks.append(f"\"{label}\\n{row.clients} client{'s'[:row.clients > 1]}\" {index}")
  plot = Plot("Round trip of 64 B (less is better)",
              f'set ylabel "µs, log scale"\nset logscale y\nset bmargin 4\nset xtics ({", ".join(ticks)})\n'
              f"set xrange [-0.5:{len(columns) - 0.5}]\n")
  for place, server in enumerate(servers):
    shift = (place + 0.5) / len(servers) * 0.7 - 0.35
    points = []
    for index, (row, metric, _) in enumerate(columns):
      spread = results.spread(row.name, server, metric)
      if spread:
        points.append((index + shift, spread.median, spread.low, spread.high))
    plot.add(points, f"using 1:2:3:4 with yerrorbars pt 7 ps 0.9 lw 1.5 "
             f"lc rgb {quoted(COLOURS[server])} title {quoted(results.title(server))}")
  plot.draw(out, "latency")


def memory(results, out) -> None:
  servers = [server for server in results.servers()
             if (results.median("memory", server, "anonymous_bytes") or 0) >= 1]
  ticks = ", ".join(f"{quoted(results.title(server))} {index}"
                    for index, server in enumerate(servers))
  plot = Plot("User-space memory an idle client (less is better)",
              'set ylabel "bytes, log scale"\nset logscale y\nset yrange [10:*]\n'
              f"set xtics ({ticks})\nset style fill solid\n"
              f"set boxwidth 0.7\nset xrange [-0.6:{len(servers) - 0.4}]\nunset key\n")
  for index, server in enumerate(servers):
    value = results.median("memory", server, "anonymous_bytes")
    plot.add([(index, value)], f"using 1:2 with boxes lc rgb {quoted(COLOURS[server])}")
    plot.add([(index, value)],
             "using 1:2:(sprintf(\"%.0f\", $2)) with labels offset 0,0.7 notitle")
  plot.draw(out, "memory")


def draw(results, out: pathlib.Path) -> None:
  for one in (cpu, throughput, growth, latency, memory):
    one(results, out)
