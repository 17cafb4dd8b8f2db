"""Minting beside a bare loop and nginx, which answer the same bytes without any work.

SPDX-License-Identifier: Apache-2.0
"""

import http.client
import json
import os
import time

import machine
import serving

ROUNDS = 7
ROUND_SECONDS = 2
KEYS, KEYS_USED = 100_000, 20_000
CONNECTIONS = 64


def answer_of(folder, port, key):
    """The body of one mint, and the size of the whole answer with its head."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/v1/console/session-tokens",
                       json.dumps({"expireAt": int(time.time()) + 600}),
                       {"X-Api-Key": key, "Content-Type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(body)
    connection.close()
    return body, answer.headers


def load(port, pid, keys):
    """Requests per second, CPU microseconds of the server each, and the latencies."""
    before, began = machine.cpu_seconds(pid), time.monotonic()
    said = serving.run(serving.pinned(serving.LOAD_CORE, [
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{ROUND_SECONDS}s", "-s",
        serving.ROOT / "bench/mint.lua", f"http://127.0.0.1:{port}"]),
        env={**os.environ, "KEYS": str(keys)})
    outcome = json.loads(said.splitlines()[-1])
    used = machine.cpu_seconds(pid) - before
    if outcome["failed"]:
        raise RuntimeError(f"wrk: {outcome}")
    return {"rate": outcome["requests"] / outcome["seconds"],
            "cpu_us": used / outcome["requests"] * 1e6,
            "busy": used / (time.monotonic() - began),
            "p50_us": outcome["p50_us"], "p99_us": outcome["p99_us"]}


def measure():
    with serving.Folder() as folder:
        keys = folder.fill(KEYS, KEYS_USED)
        with folder.serve() as ours:
            body, fields = answer_of(folder, ours.port, keys.read_text().split("\n", 1)[0])
            # The bare loop has no Cache-Control: its body is as much longer.
            missing = len(f"Cache-Control: {fields['Cache-Control']}\r\n")
            ceiling = serving.Process([serving.BUILD / "http_ceiling", "bare",
                                       body.decode() + " " * missing],
                                      serving.SERVER_CORE, int)
            sent = {name: fields[name] for name in ("X-Request-Id", "Cache-Control")}
            with ceiling as bare, serving.Nginx(body.decode(), sent, folder.path) as nginx:
                servers = {"stagedoor": ours, "bare loop": bare, "nginx": nginx}
                for server in servers.values():
                    load(server.port, server.pid, keys)  # warm
                rounds = [{name: load(server.port, server.pid, keys)
                           for name, server in servers.items()} for _ in range(ROUNDS)]
    return report(rounds)


def report(rounds):
    def ratios(of, over, what):
        return [one[of][what] / one[over][what] for one in rounds]

    lines = ["| Ratio, median (range) of the rounds | requests/s | CPU per request |",
             "|---|---|---|"]
    for over in ("bare loop", "nginx"):
        lines.append(f"| minting to {over} | {machine.spread(ratios('stagedoor', over, 'rate'))} | "
                     f"{machine.spread(ratios(over, 'stagedoor', 'cpu_us'))} |")
    lines += ["", "(CPU: what the other uses per request over what we use, so that 1 is equal and "
              "less is behind.)", "",
              "| Server | requests/s | CPU us each | of its core | p50 ms | p99 ms |",
              "|---|---|---|---|---|---|"]
    for name in rounds[0]:
        def of(what):
            return machine.middle([one[name][what] for one in rounds])
        lines.append(f"| {name} | {of('rate'):,.0f} | {of('cpu_us'):.2f} | {100 * of('busy'):.0f} % | "
                     f"{of('p50_us') / 1e3:.2f} | {of('p99_us') / 1e3:.2f} |")
    lines += ["", f"{ROUNDS} rounds by turns of {ROUND_SECONDS} s, {CONNECTIONS} keep-alive "
              f"connections, {KEYS:,} keys in the store of which {KEYS_USED:,} are used, server and "
              "load each on a core of its own."]
    return lines
