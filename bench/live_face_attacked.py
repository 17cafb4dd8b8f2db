"""What a live face in a browser gets while others misuse the server.

SPDX-License-Identifier: Apache-2.0
"""

import json
import multiprocessing
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import machine
import serving

HERE = pathlib.Path(__file__).resolve().parent
E2E = HERE.parent / "tests" / "e2e"
SECONDS, ROUNDS = 6, 3
NOBODY = "01890000-0000-7000-8000-000000000000"


class Attacker:
    """A client of the engine with sessions of its own; each attack goes on until it is stopped."""

    def __init__(self, server):
        self.server = server

    def session(self):
        from anam_mint_test import PRINTED
        bearer = {"Authorization": f"Bearer {self.server.initialised['api_key']}"}
        token = self.server.http("POST", "/v1/auth/session-token", bearer,
                                 {"personaConfig": PRINTED}).json()["sessionToken"]
        started = self.server.http("POST", "/v1/engine/session",
                                   {"Authorization": f"Bearer {token}"}, {"clientMetadata": {}})
        body = started.json()
        return body["sessionId"], self.socket(body["signallingEndpoint"], body["sessionId"])

    def socket(self, path, session_id):
        from raw_websocket import open_websocket
        return open_websocket(self.server.port, f"{path}?session_id={session_id}")

    def rubbish(self):
        _, link = self.session()
        while True:
            link.send_text("rubbish")
            yield 1

    def offers(self):
        from live_face_misuse_test import OFFERED
        session_id, link = self.session()
        broken = json.dumps({"actionType": "offer", "sessionId": session_id, "payload": {
            "connectionDescription": {"type": "offer", "sdp": "v=0\r\n" * 5000}}})
        good = json.dumps({"actionType": "offer", "sessionId": session_id, "payload": OFFERED})
        while True:
            link.send_text(broken)
            link.send_text(good)
            yield 2

    def words_and_sound(self):
        session_id, link = self.session()
        words = json.dumps({"actionType": "talkstream", "sessionId": session_id, "payload": {
            "content": "and on " * 2000, "startOfSpeech": False, "endOfSpeech": False,
            "correlationId": "flood"}})
        sound = json.dumps({"actionType": "agentaudioinput", "sessionId": session_id, "payload": {
            "audioData": "AAAA" * 8000, "encoding": "pcm_s16le", "sampleRate": 16000,
            "channels": 1}})
        while True:
            link.send_text(words)
            link.send_text(sound)
            yield 2

    def sockets_without_a_session(self):
        while True:
            self.socket("/v1/webrtc/engines/nobody/ws", NOBODY)
            yield 1

    def datagrams(self):
        """Nobody's, to the port of the media: checks, and what looks like sound and handshakes."""
        from live_face_misuse_test import OFFERED
        session_id, link = self.session()
        link.send_text(json.dumps(
            {"actionType": "offer", "sessionId": session_id, "payload": OFFERED}))
        while (message := json.loads(link.take_message(10)))["actionType"] != "answer":
            pass
        host, port = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host",
                               message["payload"]["sdp"]).groups()
        check = (b"\x00\x01\x00\x10\x21\x12\xa4\x42" + b"unknown-user"
                 + b"\x00\x06\x00\x0cnobody:nobod")
        crowd = (check, b"\x80\x6f" + os.urandom(170), b"\x16\xfe\xfd" + os.urandom(60),
                 os.urandom(1200))
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                           socket.SOCK_DGRAM) as nobody:
            nobody.connect((host, int(port)))
            while True:
                for datagram in crowd:
                    nobody.send(datagram)
                yield 4


def run_attack(server, name, began, stopped, count):
    """In a process of its own that takes what the others leave: attackers bring their own machines."""
    os.nice(19)
    sent = 0
    for some in getattr(Attacker(server), name)():
        began.set()
        sent += some
        if stopped.is_set():
            break
    count.value = sent


class Face:
    """The browser of somebody who does no harm."""

    def __init__(self, server):
        self._node = subprocess.Popen(
            ["node", HERE / "live_face_attacked.mjs"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "STAGEDOOR_URL": server.address,
                 "STAGEDOOR_KEY": server.initialised["api_key"]})
        json.loads(self._node.stdout.readline())

    def watch(self):
        self._node.stdin.write(f"{SECONDS}\n")
        self._node.stdin.flush()
        return json.loads(self._node.stdout.readline())

    def close(self):
        self._node.stdin.close()
        self._node.wait(30)


def watched_during(face, server, name):
    began, stopped = multiprocessing.Event(), multiprocessing.Event()
    count = multiprocessing.Value("q", 0)
    process = multiprocessing.Process(target=run_attack,
                                      args=(server, name, began, stopped, count))
    process.start()
    if not began.wait(20):
        raise RuntimeError(f"{name} did not begin")
    since = time.monotonic()
    seen = face.watch()
    stopped.set()
    process.join(20)
    process.kill()
    return {**seen, "attacks": count.value / (time.monotonic() - since)}


def measure():
    sys.path.insert(0, str(E2E))
    os.environ.setdefault("STAGEDOOR", str(serving.STAGEDOOR))
    import harness
    import node_packages
    node_packages.install()
    names = ["rubbish", "offers", "words_and_sound", "sockets_without_a_session", "datagrams"]
    rounds = []
    # An attacker with a session of its own is one that was let in: strangers' attempts are limited.
    with harness.Server() as server:
        serving.run([serving.STAGEDOOR, "app", "set", server.initialised["app_id"], "--data", server.data,
                     "--sessions", "50"])
        face = Face(server)
        for _ in range(ROUNDS):
            rounds.append({"nothing": {**face.watch(), "attacks": 0},
                           **{name: watched_during(face, server, name) for name in names}})
        face.close()
    lines = ["| meanwhile | attempts/s | pictures/s | packets of sound/s | longest between two "
             "pictures, ms |", "|---|---|---|---|---|"]
    for name in ["nothing", *names]:
        cells = [machine.spread([one[name][what] for one in rounds])
                 for what in ("pictures", "sounds", "longest")]
        attacks = machine.middle([one[name]["attacks"] for one in rounds])
        lines.append(f"| {name.replace('_', ' ')} | {attacks:,.0f} | " + " | ".join(cells) + " |")
    return [*lines, "", f"{ROUNDS} rounds of {SECONDS} s each; server, browser and attacker share "
            "the machine, the attacker takes what the others leave."]
