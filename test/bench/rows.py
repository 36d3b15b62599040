"""rows: the loads, in the order of the tables."""

import dataclasses

from servers import BASELINE, CHECKING_BASELINE, Server


@dataclasses.dataclass(frozen=True)
class Row:
  name: str
  title: str
  clients: int
  load: tuple  # further options of the load generator
  every: int = 1  # measured in every n-th round
  baseline: str = BASELINE
  message: int = 64  # bytes

  def absent(self, server: Server, most_clients: int) -> str:
    """Why `server` does not take part; empty if it does."""
    if server.rows and self.name not in server.rows:
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


def memory(most_clients: int) -> Row:
  return Row("memory", "memory", min(10_000, most_clients), ("--mode", "idle"), every=5)


def memory_of_forking(server: Server, row: Row) -> Row:
  """The same for a server that has not room for so many."""
  return dataclasses.replace(row, clients=min(row.clients, server.most_clients))


def all_rows(most_clients: int) -> list[Row]:
  known = {row.name for row in MAIN}
  growth = [ping_pong(n, every=3) for n in GROWTH if f"ping-pong-{n}" not in known]
  return MAIN + [CONNECTIONS] + growth + [memory(most_clients)]
