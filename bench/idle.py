"""Memory of 10,000 sessions that are open, configured, and silent.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import subprocess
import time

import machine
import serving

SESSIONS, CLIENTS = 10_000, 4
SETTLE_SECONDS = 3


def sockets_kernel_bytes():
    """What the kernel holds for TCP buffers (not in any process's memory)."""
    for line in open("/proc/net/sockstat"):
        if line.startswith("TCP:"):
            words = line.split()
            return int(words[words.index("mem") + 1]) * 4096
    return 0


@contextlib.contextmanager
def crowd(folder, port, count):
    tokens = folder.mint(port, count)
    command = serving.pinned(serving.LOAD_CORE, folder.crowd("idle", port, tokens))
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield client
    finally:
        client.stdin.close()
        client.stdout.close()
        client.wait(30)


def measure():
    with serving.Folder() as folder:
        folder.allow_sessions(SESSIONS * 2)
        with folder.serve() as server, contextlib.ExitStack() as clients:
            # What the first sessions bring to life once (buffers, tables) is not counted.
            with crowd(folder, server.port, 64) as first:
                json.loads(first.stdout.readline())
            time.sleep(SETTLE_SECONDS)
            before = machine.resident_bytes(server.pid)
            began, used = time.monotonic(), machine.cpu_seconds(server.pid)
            for _ in range(CLIENTS):
                client = clients.enter_context(crowd(folder, server.port, SESSIONS // CLIENTS))
                json.loads(client.stdout.readline())
            opening = time.monotonic() - began
            time.sleep(SETTLE_SECONDS)
            after = machine.resident_bytes(server.pid)
            used = machine.cpu_seconds(server.pid) - used
            kernel = sockets_kernel_bytes()
            idle = machine.cpu_seconds(server.pid)
            time.sleep(SETTLE_SECONDS)
            idle = (machine.cpu_seconds(server.pid) - idle) / SETTLE_SECONDS
    each = (after - before) / SESSIONS
    return ["| | |", "|---|---|",
            f"| memory of ours per idle session | **{each:,.0f} bytes** |",
            f"| of the target of 8 KiB | {each / 8192:.2f} |",
            f"| server before and with {SESSIONS:,} sessions | {before / 2**20:.1f} and "
            f"{after / 2**20:.1f} MiB |",
            f"| CPU of the server while all are idle | {100 * idle:.2f} % of a core |",
            f"| minting, admitting and configuring them all | {opening:.1f} s, "
            f"{used / SESSIONS * 1e6:.0f} us of the server's CPU each |",
            f"| kernel's TCP buffers, of both ends | {kernel / 2**20:.1f} MiB |", "",
            f"{CLIENTS} client processes; every session has its own token, is admitted, configured "
            "and confirmed."]
