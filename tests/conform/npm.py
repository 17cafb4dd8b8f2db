"""What runs on node: the vendors' npm packages and the code samples of the seed documents.

SPDX-License-Identifier: Apache-2.0
"""

import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def packages(folder):
    """Installs the packages of package.json there; None with a reason where that can't be."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None, "there is no node or no npm on this machine"
    wanted = (HERE / "package.json").read_text()
    mark = folder / "installed.json"
    if mark.exists() and mark.read_text() == wanted:
        return folder, ""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(wanted)
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel", "error"],
                          cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or ["npm failed"])[-1]
    mark.write_text(wanted)
    return folder, ""
