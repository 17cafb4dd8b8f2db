"""A live face for a client that no way leads to but through a TURN server: coturn, in a real browser
with the vendor's published client, with the credentials that the door gave it.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import node_packages
from cases import Stage, main

HERE = pathlib.Path(__file__).resolve().parent
BROWSER_SECONDS = 120
SECRET = "a-secret-that-only-the-two-servers-share"


def free_port():
    """One that is free for both; the TURN server can't be told to choose its own."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.bind(("127.0.0.1", 0))
        return udp.getsockname()[1]


class TurnServer:
    """coturn on this machine, its log kept in memory."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.lines = []
        self.process = subprocess.Popen(
            ["turnserver", "-n", "--verbose", "--no-cli", "--no-tls", "--no-dtls",
             "--listening-ip=127.0.0.1", f"--listening-port={self.port}", "--relay-ip=127.0.0.1",
             "--allow-loopback-peers", "--use-auth-secret", f"--static-auth-secret={SECRET}",
             "--realm=stagedoor.test", "--log-file=stdout", "--simple-log",
             f"--pidfile={self.folder.name}/pid", f"--userdb={self.folder.name}/db"],
            cwd=self.folder.name, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout))
        self.reader.start()
        return self

    def __exit__(self, *trouble):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.folder.cleanup()

    def log(self):
        return "".join(self.lines)


class LiveFaceByRelay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        node_packages.install()
        with TurnServer() as turn, tempfile.TemporaryDirectory() as folder:
            secret = pathlib.Path(folder, "turn-secret")
            secret.touch(mode=0o600)
            secret.write_text(SECRET + "\n")
            settings = ("[live]\n"
                        f'turn_urls = ["turn:127.0.0.1:{turn.port}?transport=udp"]\n'
                        f'turn_secret_file = "{secret}"\n')
            with Stage(settings) as server:
                done = subprocess.run(
                    ["node", "live_face_relay_browser.mjs"], cwd=HERE, stdout=subprocess.PIPE,
                    text=True, timeout=BROWSER_SECONDS,
                    env={**os.environ, "STAGEDOOR_URL": server.address,
                         "STAGEDOOR_KEY": server.api_key})
                if done.returncode != 0:
                    raise AssertionError(f"the browser's program ended with {done.returncode}; the "
                                         f"server said:\n{server.log()}\ncoturn:\n{turn.log()}")
                cls.seen = json.loads(done.stdout)
                cls.session_ids = re.findall(r'"session_id":"([^"]+)"', server.log())
        cls.turn_log = turn.log()

    def test_a_face_moves_whose_media_come_through_the_turn_server(self):
        self.assertEqual(self.seen["way"], "relay")
        first, second = self.seen["looked"]
        self.assertGreater(first["moved"] + second["moved"], 0)

    def test_the_turn_server_has_seen_a_name_that_ends_soon_and_tells_nothing_of_the_session(self):
        names = set(re.findall(r"user <(\d+):([0-9A-Za-z]+)>", self.turn_log))
        self.assertTrue(names, self.turn_log)
        for ends, name in names:
            self.assertLess(abs(int(ends) - time.time() - 3600), 300)
            self.assertNotIn(name, self.session_ids)


if __name__ == "__main__":
    main()
