"""What a person's token costs, beside an API key and beside OpenSSL alone.

SPDX-License-Identifier: Apache-2.0
"""

import json

import serving


def measure():
    with serving.Folder() as folder:
        said = serving.run([serving.BUILD / "jwt", folder.data])
    lines = ["| Token | bytes | ns | beside | ns | ratio, median (range) |", "|---|---|---|---|---|---|"]
    for line in said.splitlines():
        one = json.loads(line)
        lines.append(f"| {one['kind']} | {one['bytes']} | {one['ours_ns']:,} | {one['beside']} | "
                     f"{one['theirs_ns']:,} | {one['ratio']:.2f} ({one['least']:.2f} to "
                     f"{one['most']:.2f}) |")
    lines += ["", "In process, on one thread, by its CPU time; rounds by turns."]
    return lines
