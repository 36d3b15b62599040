"""servers: who is measured, how each is started, and where it cannot take part."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class Server:
  name: str
  title: str
  command: tuple  # {socket} and {clients} are filled in
  most_clients: int = 10_000
  why_most: str = ""
  rows: tuple = ()  # takes part only there; none: everywhere


BASELINE = "epoll"
CHECKING_BASELINE = "epoll-check"
SLEEPING_BASELINE = "upcased"

MOST_PROCESSES = 100
WHY_MOST_PROCESSES = "with a process or two a client, so many take minutes only to start"


def all_servers(build: pathlib.Path, daemon: pathlib.Path) -> list[Server]:
  upcased = (
      str(daemon), "--config", "/dev/null", "--socket", "{socket}",
      "--client-directory", "{clients}", "--log-level", "warning",
  )
  return [
      Server("upcased", "upcased", upcased),
      Server("epoll", "epoll in C", (str(build / "build/epoll-echo"), "{socket}")),
      Server(
          "epoll-check", "epoll in C, the book's check",
          (str(build / "build/epoll-echo"), "--check", "{socket}"),
          rows=("connections",),
      ),
      Server("asio", "Boost.Asio, tutorial", (str(build / "build/asio-echo"), "{socket}")),
      Server("libuv", "libuv", (str(build / "build/libuv-echo"), "{socket}")),
      Server("tokio", "Tokio", (str(build / "tokio/target/release/echo"), "{socket}")),
      Server("go", "Go", (str(build / "go/echo"), "{socket}")),
      Server(
          "socat", "socat and tr",
          ("stdbuf", "-o0", "socat", "-b", "65536", "-t", "30", "UNIX-LISTEN:{socket},fork,backlog=4096",
           "EXEC:tr a-z A-Z"),
          most_clients=MOST_PROCESSES, why_most=WHY_MOST_PROCESSES,
      ),
      Server(
          "s6", "s6-ipcserver and tr",
          ("stdbuf", "-o0", "s6-ipcserver", "-c", "1000", "-C", "1000", "-b", "4096", "{socket}",
           "tr", "a-z", "A-Z"),
          most_clients=MOST_PROCESSES, why_most=WHY_MOST_PROCESSES,
      ),
      Server("tr", "tr alone", ("tr", "a-z", "A-Z"), rows=("file-upcase",)),
      Server("upcased-logging", "upcased, a log line each way",
             upcased[:-1] + ("info",), rows=("connections",)),
      Server("upcased-auto", "upcased, busy-poll = auto", upcased + ("--busy-poll", "auto")),
      Server("upcased-busy-poll", "upcased, busy-poll = 50us", upcased + ("--busy-poll", "50us"),
             rows=("ping-pong-1", "ping-pong-64", "shared-1", "shared-64")),
  ]
