"""The leak drill: a key is found offline, and a signed report of a leak freezes it at once.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from cases import Stage, main, wait_until
from motion_messages import Error

PATH = "/v1/secret-scanning/github"


class Reporter:
    """Who reports leaks: a key pair on P-256, and its signatures as GitHub makes them."""

    identifier = "90a421169f0a406205f1563a953312f0be898d3c7b6c06b681aa86a874555f4a"

    def __init__(self, folder):
        self.secret = str(pathlib.Path(folder) / "reporter.pem")
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        self.secret], check=True, capture_output=True)
        public = subprocess.run(["openssl", "ec", "-in", self.secret, "-pubout"], check=True,
                                capture_output=True, text=True).stdout
        self.keys_file = str(pathlib.Path(folder) / "github-keys.json")
        keys = [{"key_identifier": self.identifier, "key": public, "is_current": True}]
        pathlib.Path(self.keys_file).write_text(json.dumps({"public_keys": keys}))

    def headers(self, body, identifier=None):
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.secret], input=body,
                                check=True, capture_output=True).stdout
        return {"Github-Public-Key-Identifier": identifier or self.identifier,
                "Github-Public-Key-Signature": base64.b64encode(signed).decode(),
                "Content-Type": "application/json"}


def matches(*tokens):
    return json.dumps([{"token": token, "type": "stagedoor_api_key", "source": "content",
                        "url": "https://github.example/octocat/blob/1/foo.txt"}
                       for token in tokens]).encode()


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="stagedoor-leaks-")
        cls.addClassCleanup(folder.cleanup)
        cls.reporter = Reporter(folder.name)
        cls.server = Stage(f'[leaks]\ngithub_public_keys_file = "{cls.reporter.keys_file}"\n')
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.close)

    def make(self):
        reply = self.server.http("POST", "/v1/keys",
                                 {"Authorization": f"Bearer {self.server.api_key}"}, {"name": "k"})
        return reply.json()

    def report(self, body, **how):
        return self.server.http("POST", PATH, self.reporter.headers(body, **how), body)

    def works(self, text):
        return self.server.mint(text).status == 200

    # Rule api-key-leak-frozen.
    def test_200_a_leaked_key_is_frozen_with_its_sessions_and_the_false_one_is_told_so(self):
        leaked = self.make()
        session = self.server.session(self.server.token(leaked["api_key"]))
        mistyped = leaked["api_key"][:-1] + ("0" if leaked["api_key"][-1] != "0" else "1")
        reply = self.report(matches(leaked["api_key"], mistyped))
        self.assertEqual(reply.status, 200, reply.body)
        labels = reply.json()
        self.assertEqual([label["label"] for label in labels], ["true_positive", "false_positive"])
        self.assertEqual(labels[0]["token_hash"],
                         hashlib.sha256(leaked["api_key"].encode()).hexdigest())
        self.assertEqual(labels[0]["token_type"], "stagedoor_api_key")
        self.assertNotIn(leaked["api_key"], reply.body.decode())
        self.assertFalse(self.works(leaked["api_key"]))
        self.assertIsInstance(session.receive(), Error)
        self.assertEqual(session.websocket.wait_until_closed().code, 4010)
        kept = self.server.http("GET", "/v1/keys/" + leaked["id"],
                                {"Authorization": f"Bearer {self.server.api_key}"}).json()
        self.assertEqual(kept["state"], "frozen")
        self.assertIn("github.example", kept["frozen_reason"])
        trail = self.server.must("audit", "export", "--subject", leaked["id"])
        (entry,) = [json.loads(line) for line in trail.splitlines() if "github-secret" in line]
        self.assertEqual(entry["action"], "api_key.freeze")
        self.assertIn("sessions", entry["detail"])
        self.assertNotIn(leaked["api_key"], trail + self.server.log())

    # Rule api-key-leak-frozen.
    def test_401_a_report_that_is_not_signed_changes_nothing(self):
        made = self.make()
        body = matches(made["api_key"])
        good = self.reporter.headers(body)
        for headers in (
            {}, {**good, "Github-Public-Key-Identifier": "another"},
            {**good, "Github-Public-Key-Signature": "AAAA"},
            {**good, "Github-Public-Key-Signature": ""},
            {"Github-Public-Key-Identifier": self.reporter.identifier},
            self.reporter.headers(matches("another")),
        ):
            self.assertEqual(self.server.http("POST", PATH, headers, body).status, 401)
        self.assertEqual(self.server.http("POST", PATH, good, body + b" ").status, 401)
        self.assertTrue(self.works(made["api_key"]))

    def test_400_a_signed_body_that_is_no_report(self):
        for body in (b"{}", b"[1]", b"[{}]", b"", b'[{"token":7}]', b"not json"):
            self.assertEqual(self.report(body).status, 400, body)

    def test_200_a_report_of_nothing_and_one_sent_again(self):
        self.assertEqual(self.report(b"[]").json(), [])
        made = self.make()
        for _ in range(2):
            self.assertEqual(self.report(matches(made["api_key"])).json()[0]["label"], "true_positive")


class Limits(unittest.TestCase):
    # Rule api-key-leak-frozen.
    def test_429_for_what_is_not_signed_and_a_signed_report_is_read_all_the_same(self):
        with tempfile.TemporaryDirectory(prefix="stagedoor-leaks-") as folder:
            reporter = Reporter(folder)
            settings = (f'[leaks]\ngithub_public_keys_file = "{reporter.keys_file}"\n'
                        '[limits]\nstranger = "2/day"\n')
            with Stage(settings) as server:
                unsigned = [server.http("POST", PATH, {}, b"[]") for _ in range(3)]
                self.assertEqual([reply.status for reply in unsigned], [401, 401, 429])
                self.assertGreater(int(unsigned[-1].headers["Retry-After"]), 3600)
                report = matches(server.api_key)
                for body in (b"[]", b"{}", report):
                    reply = server.http("POST", PATH, reporter.headers(body), body)
                    self.assertEqual(reply.status, 400 if body == b"{}" else 200, reply.body)
                self.assertEqual(reply.json()[0]["label"], "true_positive")
                self.assertEqual(server.mint().status, 429, "the key is frozen, and a guess by now")
                server.halt()
                refused = server.audited("POST " + PATH)
                self.assertEqual([entry["outcome"] for entry in refused], [1, 1, 1])
                self.assertEqual({entry["peer"] for entry in refused}, {"127.0.0.1"})

    def test_404_where_nobody_may_report(self):
        with Stage() as server:
            self.assertEqual(server.http("POST", PATH, {}, b"[]").status, 404)

    def test_a_file_of_keys_that_is_none_stops_the_start(self):
        with tempfile.TemporaryDirectory(prefix="stagedoor-leaks-") as folder:
            path = pathlib.Path(folder) / "keys.json"
            path.write_text('{"public_keys":[{"key_identifier":"a","key":"b"}]}')
            server = Stage(f'[leaks]\ngithub_public_keys_file = "{path}"\n')
            self.addCleanup(server.close)
            server.init()
            with self.assertRaisesRegex(RuntimeError, "public_keys"):
                server.start()


class Scan(unittest.TestCase):
    def setUp(self):
        self.server = Stage()
        self.server.init()
        self.addCleanup(self.server.close)
        folder = tempfile.TemporaryDirectory(prefix="stagedoor-scan-")
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name)
        (self.tree / "deep" / "er").mkdir(parents=True)
        (self.tree / "clean.txt").write_text("nothing\nav_live_\n")

    def scan(self, *words, path=None):
        return self.server.command("key", "scan", str(path or self.tree), *words, data=False)

    # Rule api-key-format.
    def test_1_a_key_is_told_by_place_and_ends_and_never_whole(self):
        key = self.server.api_key
        (self.tree / "deep" / "er" / "app.py").write_text(f"a = 1\nKEY = '{key}'\n")
        (self.tree / "deep" / "dump.bin").write_bytes(b"\0\xff" * 700_000 + key.encode() + b"\0")
        done = self.scan()
        self.assertEqual(done.returncode, 1)
        self.assertIn("deep/er/app.py:2: " + key[:12], done.stdout)
        self.assertIn("dump.bin:1: ", done.stdout)
        self.assertNotIn(key, done.stdout + done.stderr)
        found = [json.loads(line) for line in self.scan("--json").stdout.splitlines()]
        self.assertEqual({item["line"] for item in found}, {1, 2})
        self.assertEqual({item["environment"] for item in found}, {"test"})

    def test_with_the_data_folder_it_says_how_the_key_stands(self):
        made = json.loads(self.server.must("key", "create", "--json"))
        self.server.must("key", "revoke", made["id"])
        text = f"{self.server.api_key}\n{made['api_key']}\n"
        (self.tree / "keys").write_text(text)
        done = self.scan("--data", str(self.server.data))
        self.assertEqual([line.split()[-1] for line in done.stdout.splitlines()], ["good", "revoked"])

    def test_0_where_there_is_none(self):
        done = self.scan()
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_links_are_not_followed_and_what_is_not_read_is_told(self):
        outside = self.server.data / "outside.txt"
        outside.write_text(self.server.api_key)
        (self.tree / "link").symlink_to(outside)
        (self.tree / "round").symlink_to(self.tree)
        os.mkfifo(self.tree / "pipe")
        done = self.scan()
        self.assertEqual(done.returncode, 3)
        for words in ("link is a link", "round is a link", "pipe was not read"):
            self.assertIn(words, done.stderr)
        self.assertEqual(self.scan(path=self.tree / "none").returncode, 3)

    def test_a_file_that_may_not_be_read_is_told(self):
        if os.geteuid() == 0:
            self.skipTest("root reads everything")
        (self.tree / "closed").write_text("x")
        (self.tree / "closed").chmod(0)
        done = self.scan()
        self.assertEqual(done.returncode, 3)
        self.assertIn("closed was not read", done.stderr)


if __name__ == "__main__":
    main()
