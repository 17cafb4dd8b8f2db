"""Runs one of the programs beside this file that drive Chromium against a server, and gives what it wrote
down. Screenshots go to build/screenshots/.

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import pathlib
import subprocess

import node_packages

HERE = pathlib.Path(__file__).resolve().parent
SCREENSHOTS = HERE.parent.parent / "build" / "screenshots"


def run(server, program, argument, seconds):
    """What the program has seen; where it fails, the server's log is shown."""
    node_packages.install()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["node", program, argument], cwd=HERE, stdout=subprocess.PIPE, text=True, timeout=seconds,
        env={**os.environ, "STAGEDOOR_URL": server.address, "STAGEDOOR_KEY": server.api_key})
    if done.returncode != 0:
        raise AssertionError(f"{program} ended with {done.returncode}; the server said:\n"
                             + server.log())
    return json.loads(done.stdout)
