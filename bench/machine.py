"""What the machine is, what a process has used, and the few figures that are made of many.

SPDX-License-Identifier: Apache-2.0
"""

import os
import pathlib
import platform
import statistics

KIB = 1024


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def facts():
    """One line that says where the figures come from."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / KIB**3
    return (f"{cpu_model()}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, "
            f"{platform.freedesktop_os_release().get('PRETTY_NAME', '')}")


def cpu_clock():
    """Ticks of the whole machine since its start: all, idle, stolen by the host."""
    fields = [int(field) for field in
              pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields), fields[3] + fields[4], fields[7]


class Quiet:
    """How quiet the machine was meanwhile: `with Quiet() as quiet: ...; quiet.text`."""

    def __enter__(self):
        self._before = cpu_clock()
        self.text = ""
        return self

    def __exit__(self, *_):
        total, idle, stolen = (now - then for now, then in zip(cpu_clock(), self._before))
        load = os.getloadavg()[0]
        self.text = (f"steal {100 * stolen / max(total, 1):.1f} %, idle "
                     f"{100 * idle / max(total, 1):.0f} %, load average {load:.1f} at the end")


def cpu_seconds(pid):
    """CPU time of all threads of a process, to the nanosecond."""
    total = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * KIB
    raise RuntimeError("no VmRSS")


def middle(values):
    return statistics.median(values)


def spread(values):
    """Median and range, as text."""
    return f"{middle(values):.3g} ({min(values):.3g} to {max(values):.3g})"
