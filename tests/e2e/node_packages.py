"""The npm packages of package.json, installed once, whoever needs them first.

SPDX-License-Identifier: Apache-2.0
"""

import fcntl
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def install():
    """Returns when node_modules holds what package-lock.json says."""
    lock_text = (HERE / "package-lock.json").read_text()
    mark = HERE / "node_modules" / ".installed"
    with open(HERE / "package.json") as package:
        # Tests run beside each other, and `npm ci` begins by removing what is there.
        fcntl.flock(package, fcntl.LOCK_EX)
        if mark.exists() and mark.read_text() == lock_text:
            return
        subprocess.run(["npm", "ci", "--no-fund", "--no-audit"], cwd=HERE, check=True, timeout=200)
        mark.write_text(lock_text)
