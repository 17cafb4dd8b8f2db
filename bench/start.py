"""How long the server takes to listen with a full store, and what a key costs in memory.

SPDX-License-Identifier: Apache-2.0
"""

import machine
import serving

KEYS = 1_000_000
STARTS = 5


def starts(folder):
    """Seconds until it listens, and its memory then, of several starts."""
    seconds, memory = [], []
    for _ in range(STARTS):
        with folder.serve() as server:
            seconds.append(server.start_seconds)
            memory.append(machine.resident_bytes(server.pid))
    return seconds, memory


def measure():
    with serving.Folder() as folder:
        empty_seconds, empty = starts(folder)
        folder.fill(KEYS)
        full_seconds, full = starts(folder)
    each = (machine.middle(full) - machine.middle(empty)) / KEYS
    return ["| | |", "|---|---|",
            f"| start with {KEYS:,} keys, of the target of 3 s | "
            f"{machine.middle(full_seconds) / 3:.2f} |",
            f"| memory per key, of the target of 300 bytes | {each / 300:.2f} |",
            f"| until it listens, {KEYS:,} keys | **{machine.spread(full_seconds)} s** |",
            f"| until it listens, 2 keys | {machine.spread(empty_seconds)} s |",
            f"| memory per key | **{each:.0f} bytes** |",
            f"| server with 2 and with {KEYS:,} keys | {machine.middle(empty) / 2**20:.0f} and "
            f"{machine.middle(full) / 2**20:.0f} MiB |", "",
            f"Median (range) of {STARTS} starts, from the start of the process to the line that names "
            "the address; the file is in the page cache."]
