"""What counting one call of an API key costs.

SPDX-License-Identifier: Apache-2.0
"""

import json

import machine
import serving

ROUNDS = 5
CALLS = 1_000_000


def measure():
    rounds = [json.loads(serving.run([serving.BUILD / "key_usage", CALLS])) for _ in range(ROUNDS)]
    lines = ["| Case | ns a call, median (range) |", "|---|---|"]
    for name in rounds[0]:
        lines.append(f"| {name.removeprefix('nanos_').replace('_', ' ')} | "
                     f"{machine.spread([one[name] for one in rounds])} |")
    return [*lines, "", f"By the CPU time of the threads; {ROUNDS} rounds of {CALLS:,} calls a thread."]
