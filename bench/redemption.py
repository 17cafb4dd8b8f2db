"""Durable single-use redemptions beside a bare loop of append and fdatasync.

SPDX-License-Identifier: Apache-2.0
"""

import json
import shutil
import tempfile

import machine
import serving


def measure():
    serving.WORK.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(dir=serving.WORK)
    try:
        said = serving.run([serving.BUILD / "redemption", folder])
    finally:
        shutil.rmtree(folder)
    rounds = {}
    for line in said.splitlines():
        outcome = json.loads(line)
        rounds.setdefault(outcome["kind"], []).append(outcome)

    def ratios(what, over):
        return [a["per_second"] / b["per_second"] for a, b in zip(rounds[what], rounds[over])]

    def middle(kind, what):
        return machine.middle([one[what] for one in rounds[kind]])

    lines = ["| Ratio, median (range) of the rounds | |", "|---|---|",
             "| redemptions/s to bare appends of 256 B, one fdatasync each | "
             f"{machine.spread(ratios('full', 'bare'))} |",
             "| the same with as many records to an append as a commit had | "
             f"{machine.spread(ratios('full', 'group'))} |", "",
             "| Load | redemptions/s | commits/s | p50 ms | p99 ms | max ms | CPU us each |",
             "|---|---|---|---|---|---|---|"]
    names = {"full": "as fast as they go, 4,096 in flight", "half": "half of that, by the clock",
             "target": "10,000/s, by the clock"}
    for kind, name in names.items():
        lines.append(f"| {name} | {middle(kind, 'per_second'):,.0f} | "
                     f"{middle(kind, 'commits_per_second'):,.0f} | {middle(kind, 'p50_ms'):.2f} | "
                     f"{middle(kind, 'p99_ms'):.2f} | {middle(kind, 'max_ms'):.1f} | "
                     f"{middle(kind, 'cpu_us'):.1f} |")
    lines.append(f"| bare append and fdatasync | {middle('bare', 'per_second'):,.0f} | | | | | |")
    refused = sum(one["refused"] for kind in names for one in rounds[kind])
    lines += ["", f"{len(rounds['full'])} rounds by turns; medians. Refused: {refused}. Latencies at a "
              "load by the clock count from when the redemption was due."]
    return lines
