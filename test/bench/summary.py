"""summary: medians, quartiles and paired ratios of results.json."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
  median: float
  low: float  # first quartile
  high: float  # third quartile


def spread_of(values: list) -> Spread | None:
  known = [value for value in values if value is not None]
  if not known:
    return None
  if len(known) == 1:
    return Spread(known[0], known[0], known[0])
  low, median, high = statistics.quantiles(known, n=4, method="inclusive")
  return Spread(median, low, high)


class Results:
  def __init__(self, data: dict):
    self._data = data
    self.machine = data["machine"]
    self.rounds = data["rounds"]
    self.milliseconds = data["milliseconds"]
    self.processors = data["processors"]
    self.absent = data["absent"]
    self.failures = data["failures"]

  def servers(self) -> list:
    return list(self._data["servers"])

  def title(self, server: str) -> str:
    return self._data["servers"][server]["title"] if server in self._data["servers"] else server

  def row_names(self) -> set:
    return set(self._data["rows"])

  def values(self, row: str, server: str, metric: str) -> list:
    return self._data["rows"].get(row, {}).get(server, {}).get(metric, [])

  def has(self, row: str, server: str) -> bool:
    return server in self._data["rows"].get(row, {})

  def spread(self, row: str, server: str, metric: str) -> Spread | None:
    return spread_of(self.values(row, server, metric))

  def median(self, row: str, server: str, metric: str) -> float | None:
    spread = self.spread(row, server, metric)
    return spread.median if spread else None

  def ratio(self, row, server: str, metric: str) -> Spread | None:
    """To the row's yardstick, round by round."""
    pairs = zip(self.values(row.name, server, metric),
                self.values(row.name, row.baseline, metric), strict=False)
    return spread_of([a / b for a, b in pairs if a is not None and b is not None])

  def generator_bound(self, row: str, server: str) -> bool:
    client = self.median(row, server, "client_busy")
    busy = self.median(row, server, "server_busy")
    return client is not None and busy is not None and client > 0.9 and client > busy
