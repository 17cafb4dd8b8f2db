"""Calls over HTTP beside a bare loop and nginx, which answer the same bytes without any work.

SPDX-License-Identifier: Apache-2.0
"""

import dataclasses
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


@dataclasses.dataclass
class Call:
    """What is measured: its name in the report, wrk's script, and one request of its kind."""

    name: str
    script: str
    path: str
    request: object  # of one key: its headers and its body, as a pair


def answer_of(call, port, key):
    """The body of one answer, and its fields."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers, body = call.request(key)
    connection.request("POST", call.path, json.dumps(body),
                       {**headers, "Content-Type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(body)
    connection.close()
    return body, answer.headers


def load(call, port, pid, keys):
    """Requests per second, CPU microseconds of the server each, and the latencies."""
    before, began = machine.cpu_seconds(pid), time.monotonic()
    said = serving.run(serving.pinned(serving.LOAD_CORE, [
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{ROUND_SECONDS}s", "-s",
        serving.ROOT / "bench" / call.script, f"http://127.0.0.1:{port}"]),
        env={**os.environ, "KEYS": str(keys)})
    outcome = json.loads(said.splitlines()[-1])
    used = machine.cpu_seconds(pid) - before
    if outcome["failed"]:
        raise RuntimeError(f"wrk: {outcome}")
    return {"rate": outcome["requests"] / outcome["seconds"],
            "cpu_us": used / outcome["requests"] * 1e6,
            "busy": used / (time.monotonic() - began),
            "p50_us": outcome["p50_us"], "p99_us": outcome["p99_us"]}


def measure(call):
    with serving.Folder() as folder:
        keys = folder.fill(KEYS, KEYS_USED)
        with folder.serve() as ours:
            body, fields = answer_of(call, ours.port, keys.read_text().split("\n", 1)[0])
            # nginx says these itself; the bare loop has none of them: its body is as much longer.
            own = {"date", "server", "connection", "content-type", "content-length"}
            sent = {name: value for name, value in fields.items() if name.lower() not in own}
            missing = sum(len(f"{name}: {value}\r\n") for name, value in sent.items()
                          if name != "X-Request-Id")
            ceiling = serving.Process([serving.BUILD / "http_ceiling", "bare",
                                       body.decode() + " " * missing],
                                      serving.SERVER_CORE, int)
            with ceiling as bare, serving.Nginx(body.decode(), sent, folder.path) as nginx:
                servers = {"stagedoor": ours, "bare loop": bare, "nginx": nginx}
                for server in servers.values():
                    load(call, server.port, server.pid, keys)  # warm
                rounds = [{name: load(call, server.port, server.pid, keys)
                           for name, server in servers.items()} for _ in range(ROUNDS)]
    return report(call, rounds)


def report(call, rounds):
    def ratios(of, over, what):
        return [one[of][what] / one[over][what] for one in rounds]

    lines = ["| Ratio, median (range) of the rounds | requests/s | CPU per request |",
             "|---|---|---|"]
    for over in ("bare loop", "nginx"):
        lines.append(f"| {call.name} to {over} | {machine.spread(ratios('stagedoor', over, 'rate'))} | "
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
