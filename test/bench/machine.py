"""machine: what the numbers were taken on and with."""

import os
import pathlib
import platform
import re
import subprocess


def output_of(*command: str) -> str:
  try:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
  except (OSError, subprocess.CalledProcessError):
    return ""


def package(name: str) -> str:
  return output_of("dpkg-query", "--show", "--showformat=${Version}", name)


def processor() -> str:
  found = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
  return found.group(1) if found else platform.machine()


def describe(source: pathlib.Path, rustc: str) -> dict:
  commit = output_of("git", "-C", str(source), "describe", "--always", "--dirty", "--abbrev=12")
  return {
      "processor": processor(),
      "cores": os.cpu_count(),
      "virtual": output_of("systemd-detect-virt", "--vm") or "none",
      "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
      "kernel": platform.release(),
      "system": output_of("sh", "-c", ". /etc/os-release && echo \"$PRETTY_NAME\""),
      "commit": commit,
      "versions": {
          "g++": output_of("g++", "-dumpfullversion"),
          "Boost": package("libboost1.81-dev"),
          "libuv": package("libuv1-dev"),
          "rustc": output_of(rustc, "--version").removeprefix("rustc "),
          "Tokio": package("librust-tokio-dev"),
          "Go": output_of("/usr/bin/go", "env", "GOVERSION").removeprefix("go"),
          "socat": package("socat"),
          "s6": package("s6"),
          "coreutils": package("coreutils"),
      },
  }


class Bystanders:
  """How much of the machine went elsewhere: to other processes and, where it is
  a virtual one, to other machines (steal)."""

  def __init__(self):
    self._begin = self._read()

  @staticmethod
  def _read() -> tuple:
    fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, idle, iowait, irq, softirq, steal = (
        int(field) / os.sysconf("SC_CLK_TCK") for field in fields)
    ours = sum(os.times()[:4])
    return user + nice + system + irq + softirq, ours, steal, idle + iowait

  def share(self) -> float:
    """Of all processors' time since the beginning, from 0 to 1."""
    busy, ours, steal, idle = (now - then for now, then in zip(self._read(), self._begin))
    return max(0.0, busy - ours + steal) / (busy + steal + idle)


def two_processors() -> tuple[set, set]:
  """One for the load generator, one for the server: another core if there is
  one, else the same."""
  allowed = sorted(os.sched_getaffinity(0))
  core = {cpu: core_of(cpu) for cpu in allowed}
  others = [cpu for cpu in allowed if core[cpu] != core[allowed[0]]]
  return {allowed[0]}, {(others or allowed)[-1]}


def core_of(cpu: int) -> str:
  topology = pathlib.Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
  return topology.read_text().strip() if topology.exists() else str(cpu)
