"""How long after a revocation is sent the last of 5,000 live sessions is over.

SPDX-License-Identifier: Apache-2.0
"""

import http.client
import json
import subprocess
import time

import machine
import serving

SESSIONS, ROUNDS = 5_000, 3


class Caller:
    """Calls of one connection with one key."""

    def __init__(self, port, key):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, path, body):
        self._connection.request("POST", path, json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{path}: {answer.status} {content}")
        return json.loads(content)


def tokens_of(folder, caller, end_user):
    file = folder.path / f"tokens-{time.monotonic_ns()}.txt"
    with open(file, "w") as out:
        for _ in range(SESSIONS):
            out.write(caller.post("/v1/session-tokens",
                                  {"end_user_id": end_user})["session_token"] + "\n")
    return file


def round_of(folder, server, tokens, revoke):
    """Opens a session for each token, and sends the revocation."""
    client = subprocess.Popen(
        serving.pinned(serving.LOAD_CORE, folder.crowd("sent-away", server.port, tokens)),
        stdout=subprocess.PIPE, text=True)
    with client:
        json.loads(client.stdout.readline())
        used, began = machine.cpu_seconds(server.pid), time.monotonic_ns()
        revoke()
        answered = time.monotonic_ns()
        outcome = json.loads(client.stdout.readline())
        used = machine.cpu_seconds(server.pid) - used
    if outcome["closed_count"] != SESSIONS:
        raise RuntimeError(f"{outcome['closed_count']} of {SESSIONS} sockets were closed")
    millis = lambda nanos: (nanos - began) / 1e6
    return {"answered": millis(answered), "first": millis(outcome["closed_ns"]["first"]),
            "told": millis(outcome["told_ns"]["last"]), "last": millis(outcome["closed_ns"]["last"]),
            "both": millis(outcome["answered_ns"]["last"]),
            "cpu": used * 1e3}


def measure():
    rounds = {"key": [], "end user": []}
    with serving.Folder() as folder:
        folder.allow_sessions(SESSIONS * 2)
        with folder.serve() as server:
            owner = Caller(server.port, folder.first["api_key"])
            for number in range(ROUNDS):
                made = owner.post("/v1/keys", {"name": f"bench {number}"})
                caller = Caller(server.port, made["api_key"])
                rounds["key"].append(round_of(
                    folder, server, tokens_of(folder, caller, "somebody"),
                    lambda: owner.post(f"/v1/keys/{made['id']}/revoke", {"reason": "bench"})))
                user = f"user-{number}"
                rounds["end user"].append(round_of(
                    folder, server, tokens_of(folder, owner, user),
                    lambda: owner.post("/v1/session-tokens/revoke", {"end_user_id": user})))
    lines = [f"| ms after the call was sent, {SESSIONS:,} sessions | its answer | last session told "
             "| **last socket closed** | also by its client | server's CPU |",
             "|---|---|---|---|---|---|"]
    for what, outcomes in rounds.items():
        cells = [machine.spread([one[name] for one in outcomes])
                 for name in ("answered", "told", "last", "both", "cpu")]
        lines.append(f"| revocation of one {what} | {cells[0]} | {cells[1]} | **{cells[2]}** | "
                     f"{cells[3]} | {cells[4]} |")
    lines += ["", f"{ROUNDS} rounds; median (range). Closed is when a client has read the end of its "
              "connection, behind the server's last word and goodbye; by its client, when that has "
              "answered and closed its own side too. Server with one thread for connections on one "
              "core, all clients in one process on the other, which reads before it answers. The "
              "target is 100 ms."]
    return lines
