"""What two hundred live faces in a browser, one after another, leave behind in the server.

SPDX-License-Identifier: Apache-2.0
"""

import os
import pathlib
import subprocess
import sys
import time

import serving

HERE = pathlib.Path(__file__).resolve().parent
E2E = HERE.parent / "tests" / "e2e"
# What is kept for reuse is there after the first ones.
WARM, LOADS = 50, 200


def state_of(server):
    pid = server.process.pid
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").open())
    return {"kib": int(status["VmRSS"].split()[0]), "threads": int(status["Threads"]),
            "files": len(os.listdir(f"/proc/{pid}/fd"))}


def measure():
    sys.path.insert(0, str(E2E))
    os.environ.setdefault("STAGEDOOR", str(serving.STAGEDOOR))
    import harness
    import node_packages
    node_packages.install()
    lines = ["| sessions | resident MiB | threads | descriptors |", "|---|---|---|---|"]
    with harness.Server() as server:
        node = subprocess.Popen(["node", HERE / "live_face_sessions.mjs"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True,
                                env={**os.environ, "STAGEDOOR_URL": server.address,
                                     "STAGEDOOR_KEY": server.initialised["api_key"]})
        done = 0
        for some in (WARM, LOADS // 2, LOADS // 2):
            node.stdin.write(f"{some}\n")
            node.stdin.flush()
            if node.stdout.readline().strip() != "done":
                raise RuntimeError("the browser's program ended")
            done += some
            time.sleep(12)  # until the last one is given up
            state = state_of(server)
            lines.append(f"| {done} | {state['kib'] / 1024:.1f} | {state['threads']} | "
                         f"{state['files']} |")
        node.stdin.close()
        node.wait(30)
    return lines
