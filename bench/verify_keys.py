"""Keys a second that one core verifies in batches of 1,000, in process.

SPDX-License-Identifier: Apache-2.0
"""

import json

import machine
import serving

ROUNDS = 5


def measure():
    lines = ["| Keys in the store | good keys/s, median (range) | keys/s that do not exist |", "|---|---|---|"]
    with serving.Folder() as folder:
        for count in (1_000, 100_000):
            keys = folder.fill(count, count)
            rounds = [json.loads(serving.run([serving.BUILD / "verify_keys", folder.data, keys, 1]))
                      for _ in range(ROUNDS)]
            good, unknown = ([one[name] / 1e6 for one in rounds]
                             for name in ("valid_keys_per_second", "unknown_keys_per_second"))
            lines.append(f"| {count:,} | {machine.spread(good)} M | {machine.spread(unknown)} M |")
    return [*lines, "", f"One thread, by its CPU time; {ROUNDS} rounds of 1 s."]
