"""rows: the loads, in the order of the tables."""

import dataclasses

from servers import BASELINE, CHECKING_BASELINE, SLEEPING_BASELINE, Server


@dataclasses.dataclass(frozen=True)
class Row:
  name: str
  title: str
  clients: int
  load: tuple  # further options of the load generator; of a file, the client's command
  every: int = 1  # measured in every n-th round
  baseline: str = BASELINE
  message: int = 64  # bytes
  shared: bool = False  # server and clients on one processor
  neighbour: bool = False  # a busy loop on the server's processor
  least_ms: int = 0  # measured at least so long
  file: bool = False  # `load` sends FILE_BYTES from a file, instead of the load generator
  only: tuple = ()  # servers that take part; none: all

  def absent(self, server: Server, most_clients: int) -> str:
    """Why `server` does not take part; empty if it does."""
    if (server.rows and self.name not in server.rows) or (self.only and server.name not in self.only):
      return "measured elsewhere"
    if self.clients > server.most_clients:
      return server.why_most
    if self.clients > most_clients:
      return f"this machine's limit of open files leaves room for {most_clients} clients"
    return ""


def ping_pong(clients: int, every: int = 1) -> Row:
  return Row(f"ping-pong-{clients}", f"{clients:,} × 64 B", clients, (), every)


def bulk(clients: int) -> Row:
  message = 256 * 1024
  return Row(f"bulk-{clients}", f"bulk, {clients}", clients,
             ("--size", str(message), "--depth", "8"), message=message)


GROWTH = [1, 10, 100, 1000, 5000, 10_000]

MAIN = [
    ping_pong(1),
    ping_pong(64),
    ping_pong(1000),
    Row("pipelined", "64 × 1 KiB, 16 deep", 64, ("--size", "1024", "--depth", "16"), message=1024),
    bulk(1),
    bulk(8),
]
CONNECTIONS = Row("connections", "connections", 32, ("--mode", "connect"),
                  baseline=CHECKING_BASELINE)


BOTH = ("upcased", "upcased-auto")

# Server and clients on one processor, where a spin keeps the client from running.
SHARED = [
    dataclasses.replace(row, name=name, shared=True, baseline=SLEEPING_BASELINE,
                        only=("upcased", "upcased-auto", "upcased-busy-poll", "epoll", "tokio"))
    for row, name in ((ping_pong(1), "shared-1"), (ping_pong(64), "shared-64"),
                      (bulk(1), "shared-bulk-1"))
]

# A neighbour that wants the server's processor.
NEIGHBOUR = [
    dataclasses.replace(row, name=f"neighbour-{row.clients}", neighbour=True,
                        baseline=SLEEPING_BASELINE, only=(*BOTH, "epoll"))
    for row in (ping_pong(1), ping_pong(64))
]


def paced(name: str, title: str, clients: int, interval_us: int, only: tuple, least_ms=0) -> Row:
  return Row(name, title, clients, ("--mode", "paced", "--interval-us", str(interval_us)),
             baseline=SLEEPING_BASELINE, only=only, least_ms=least_ms)


# One client that sends every so often: where does spinning end, what does it cost?
THINK = [paced(f"think-{us}", f"{us:,} µs", 1, us, (*BOTH, "epoll"))
         for us in (10, 20, 50, 100, 1000, 10_000)]

# What a server costs that has little to do.
PRICE = [paced(f"price-{clients}-{rate}", f"{clients:,} × {rate}/s", clients, 1_000_000 // rate,
               BOTH, least_ms=3000)
         for clients in (1, 10, 1000) for rate in (1, 10, 100)]


# People's own clients, with a file of a GiB.
FILE_BYTES = 2**30
FILES = [
    Row("file-upcase", "upcase < file", 1,
        ("{upcase}", "--socket", "{socket}", "--client-directory", "{clients}"), file=True,
        only=("upcased", "upcased-auto", "epoll", "libuv", "tokio", "go", "asio", "tr")),
    Row("file-socat", "socat - < file", 1,
        ("socat", "-t", "60", "-", "UNIX-CONNECT:{socket},bind={clients}/client,mode=0700"),
        file=True, only=("upcased", "upcased-auto", "epoll", "libuv", "tokio", "go", "asio")),
]


def memory(most_clients: int) -> Row:
  return Row("memory", "memory", min(10_000, most_clients), ("--mode", "idle"), every=5)


def memory_of_forking(server: Server, row: Row) -> Row:
  """The same for a server that has not room for so many."""
  return dataclasses.replace(row, clients=min(row.clients, server.most_clients))


def all_rows(most_clients: int) -> list[Row]:
  known = {row.name for row in MAIN}
  growth = [ping_pong(n, every=3) for n in GROWTH if f"ping-pong-{n}" not in known]
  return MAIN + SHARED + NEIGHBOUR + FILES + THINK + PRICE + [CONNECTIONS] + growth + [memory(most_clients)]
