"""What one call costs the table of rate limits.

SPDX-License-Identifier: Apache-2.0
"""

import json

import machine
import serving

ROUNDS = 5
CALLS = 2_000_000


def measure():
    rounds = [[json.loads(line) for line in
               serving.run([serving.BUILD / "rate_limits", CALLS]).splitlines()]
              for _ in range(ROUNDS)]
    lines = ["| Callers | threads | ns a call, median (range) | table | calls without a place |",
             "|---|---|---|---|---|"]
    for same in zip(*rounds):
        one = same[0]
        lines.append(f"| {one['callers']:,} | {one['threads']} | "
                     f"{machine.spread([each['nanos'] for each in same])} | "
                     f"{one['table_bytes'] / 1e6:.1f} MB | {one['without_place']} |")
    return [*lines, "", f"By the CPU time of the threads, reading the clock included; {ROUNDS} rounds "
            f"of {CALLS:,} calls a thread, callers in an order that no cache can guess."]
