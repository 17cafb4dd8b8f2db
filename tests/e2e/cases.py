"""What the end-to-end tests share: a server with settings and commands, and a motion client.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import contextlib
import hmac
import json
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid

import motion_messages as messages
from harness import Server
from raw_websocket import Refusal, WAIT_SECONDS, WebSocket, open_websocket

COMMAND_SECONDS = 30
MINT_PATH = "/v1/console/session-tokens"
SOCKET_PATH = "/v2/driveningress/websocket"
SAMPLE_RATE_HZ = 16000
FRAMES_PER_SECOND = 25
NEVER = threading.Event()
NOBODY = "00000000-0000-4000-8000-000000000000"


class Stage(Server):
    """A Server with commands on its data folder, tokens and sessions."""

    def __init__(self, settings="", **how):
        super().__init__(settings=settings, **how)

    def halt(self, how=signal.SIGTERM):
        """Sends a signal, waits for the end, keeps the data folder; returns the exit status."""
        self.process.send_signal(how)
        status = self.process.wait(WAIT_SECONDS)
        for reader in self._readers:
            reader.join()
        self.process = None
        return status

    def restart(self, how=signal.SIGTERM):
        self.halt(how)
        return self.start()

    def command(self, *words, data=True):
        """Runs one word of the command line on the data folder; returns the finished process."""
        command = [self.binary, *words]
        if data:
            command += ["--data", str(self.data)]
        return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS)

    def must(self, *words, data=True):
        done = self.command(*words, data=data)
        if done.returncode != 0:
            raise AssertionError(
                f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
            )
        return done.stdout

    def limits(self, *words):
        """Changes the app's limits, and waits until a token shows that the server knows."""
        self.must("app", "set", self.app_id, *words)
        wanted = json.loads(self.must("app", "list", "--json"))

        def is_known():
            claims = claims_of(self.token())
            leash = claims["leash"]
            return (claims["uses"], leash["length"], leash["idle"], leash["sessions"]) == (
                wanted["token_uses_max"],
                wanted["length_max_seconds"],
                wanted["idle_max_seconds"],
                wanted["sessions_max"],
            )

        wait_until(is_known, "the server to follow a change of limits")

    @property
    def app_id(self):
        return self.initialised["app_id"]

    @property
    def avatar_id(self):
        return self.initialised["avatar_id"]

    @property
    def api_key(self):
        return self.initialised["api_key"]

    def insert(self, table, *values):
        """Adds a row to the store as another process would; a running server notices soon."""
        path = self.data / "stagedoor.db"
        with contextlib.closing(sqlite3.connect(path, timeout=COMMAND_SECONDS)) as store, store:
            store.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)

    def address_of(self, snapshot):
        """A persona snapshot's address: its HMAC under a key of the server secret."""
        secret = bytes.fromhex((self.data / "server-secret").read_text().split()[0])
        key = hmac.digest(secret, b"persona snapshots 1", "sha256")
        return hmac.digest(key, snapshot.encode(), "sha256")

    def audited(self, action):
        """The entries of the audit log with this action, oldest first, as dictionaries."""
        path = self.data / "stagedoor.db"
        with contextlib.closing(sqlite3.connect(path, timeout=COMMAND_SECONDS)) as store:
            store.row_factory = sqlite3.Row
            rows = store.execute("SELECT * FROM audit_log WHERE action = ? ORDER BY number", (action,))
            return [dict(row) for row in rows]

    def second_app(self):
        """Another app of the same workspace; its id."""
        made = self.must("app", "create", "--name", "Second", "--json",
                         "--workspace", self.initialised["workspace_id"])
        return json.loads(made)["id"]

    def second_avatar(self, workspace_id=None):
        avatar_id = str(uuid.uuid4())
        self.insert(
            "avatars (id, workspace_id, name, version, created_at, number)", avatar_id,
            workspace_id or self.initialised["workspace_id"], "Second", "1", 0, time.time_ns()
        )
        return avatar_id

    def key_file(self, key=None):
        path = self.data / "key-for-commands"
        path.touch(mode=0o600)
        path.write_text((key or self.api_key) + "\n")
        return str(path)

    def mint(self, key=None, **members):
        members.setdefault("expireAt", int(time.time()) + 600)
        return self.http("POST", MINT_PATH, {"X-Api-Key": key or self.api_key}, members)

    def token(self, key=None, **members):
        reply = self.mint(key, **members)
        if reply.status != 200:
            raise AssertionError(f"minting gave {reply.status}: {reply.body}")
        return reply.json()["sessionToken"]

    def command_token(self, *words):
        return self.must("token", "mint", "--key-file", self.key_file(), *words).strip()

    def knock(self, token, app=None, avatar=None, by="header", **how):
        """Tries to open a session: a WebSocket or a Refusal."""
        app = self.app_id if app is None else app
        query = {"id": self.avatar_id if avatar is None else avatar}
        headers = dict(how.pop("headers", {}))
        if by == "header":
            headers |= {"X-App-ID": app, "X-Session-Key": token}
        else:
            query |= {"appId": app, "sessionKey": token}
        return open_websocket(
            self.port, SOCKET_PATH + "?" + urllib.parse.urlencode(query), headers, **how
        )

    def is_admitted(self, token, **how):
        answer = self.knock(token, **how)
        if isinstance(answer, Refusal):
            return False
        answer.wire.drop()
        return True

    def session(self, token=None, configured=True, **how):
        """An open session; by default configured for 16 kHz PCM."""
        socket_how = {
            name: how.pop(name)
            for name in ("by", "avatar", "app", "receive_buffer_bytes")
            if name in how
        }
        answer = self.knock(token or self.token(), **socket_how)
        if isinstance(answer, Refusal):
            raise AssertionError(f"the session was refused: {answer}")
        session = MotionClient(answer)
        if configured:
            session.configure(**how)
        return session

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def log_entries(self):
        return [json.loads(line) for line in self.log().splitlines() if line.startswith('{"time"')]

    def wait_for_log(self, event, **fields):
        """Waits for a log line with this event and these fields, and returns it."""

        def find():
            for entry in self.log_entries():
                if entry["event"] == event and all(
                    entry.get(name) == value for name, value in fields.items()
                ):
                    return entry
            return None

        return wait_until(find, f"the log to say {event} {fields}")


class OneStage(unittest.TestCase):
    """Each test has a data folder of its own, initialised; whoever needs a server starts it."""

    settings = ""

    def setUp(self):
        self.server = Stage(self.settings)
        self.server.init()
        self.addCleanup(self.server.close)

    def serve_for_refusal(self, *arguments):
        """Runs `serve` where it must not start; returns the finished process."""
        command = [
            self.server.binary,
            "serve",
            "--data",
            str(self.server.data),
            "--listen",
            "127.0.0.1:0",
            *arguments,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS)

    def write(self, name, text):
        path = self.server.data / name
        path.write_text(text)
        return str(path)


class AnamCase(unittest.TestCase):
    """One server for all tests; calls on `path` in the Anam dialect, and what a refusal there is."""

    settings = ""
    path = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Stage(cls.settings).__enter__()
        cls.addClassCleanup(cls.server.close)

    def call(self, method, path="", body=None, key=None):
        return self.server.http(method, self.path + path, bearer(key or self.server.api_key), body)

    def created(self, body, key=None):
        reply = self.call("POST", body=body, key=key)
        self.assertEqual(reply.status, 201, reply.body)
        return reply.json()

    def key_with(self, *scopes):
        """A further key, with these scopes alone: all that making it has told."""
        reply = self.server.http("POST", "/v1/keys", bearer(self.server.api_key),
                                 {"name": "with scopes", "scopes": list(scopes)})
        self.assertEqual(reply.status, 201, reply.body)
        return reply.json()

    def assert_refused(self, reply, status, error, path=None):
        self.assertEqual(reply.status, status, reply.body)
        body = reply.json()
        self.assertEqual(body["error"], error)
        self.assertTrue(body["message"])
        if path is not None:
            self.assertIn(path, [fault["path"] for fault in body["details"]])

    def assert_all_404(self, calls, path, key):
        """Each of (method, body) on the path is 404, with the bytes of what is not there."""
        for method, body in calls:
            reply = self.call(method, path, body, key)
            self.assert_refused(reply, 404, "Not Found")
            nothing = path.rpartition("/")[0] + "/" + NOBODY
            self.assertEqual(reply.body, self.call(method, nothing, body, key).body)


class MotionClient:
    """One live session: sends messages, reads what comes back."""

    def __init__(self, websocket: WebSocket):
        self.websocket = websocket
        self.connection_id = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.websocket.wire.drop()

    def send(self, data):
        self.websocket.send_binary(data)

    def receive(self, seconds=WAIT_SECONDS):
        return messages.decode(self.websocket.take_message(seconds))

    def configure(self, **how):
        self.send(messages.configure(**how))
        answer = self.receive()
        if not isinstance(answer, messages.Confirmation):
            raise AssertionError(f"the configuration was not confirmed: {answer}")
        self.connection_id = answer.connection_id
        return self.connection_id

    def say(self, req_id, data, chunk_bytes=None, end=True):
        """Sends an utterance, in pieces where asked for."""
        chunk_bytes = chunk_bytes or max(len(data), 1)
        pieces = [data[at : at + chunk_bytes] for at in range(0, len(data), chunk_bytes)] or [b""]
        for index, piece in enumerate(pieces):
            self.send(messages.audio(req_id, piece, end and index == len(pieces) - 1))

    def messages_until_end(self, req_id):
        """All messages up to the one that ends `req_id`, which is the last of the list."""
        got = [self.receive()]
        while not (
            isinstance(got[-1], messages.Animation) and got[-1].req_id == req_id and got[-1].end
        ):
            got.append(self.receive())
        return got

    def faces_until_end(self, req_id):
        faces = []
        for one in self.messages_until_end(req_id):
            if not isinstance(one, messages.Animation) or one.req_id != req_id:
                raise AssertionError(f"{one} came before the end of {req_id}")
            faces += one.faces
        return faces

    def perform(self, req_id, data, chunk_bytes=None):
        """Says one utterance and returns its faces; for sound whose answer is small."""
        self.say(req_id, data, chunk_bytes)
        return self.faces_until_end(req_id)

    def still_serves(self):
        """True where a fresh utterance of a second gets its 25 faces."""
        return len(self.perform("still-here", silence(1.0))) == 25


def silence(seconds, rate_hz=SAMPLE_RATE_HZ):
    return bytes(2 * round(seconds * rate_hz))


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def live_key(server):
    """A live key of the first app, once the server knows it."""
    key = json.loads(server.must("key", "create", "--live", "--json"))["api_key"]
    wait_until(lambda: server.http("GET", "/v1/personas", bearer(key)).status == 200,
               "the key to be known")
    return key


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def is_ahead(at, seconds, began):
    """Whether `at` is so many seconds after a moment between `began` (time.time()) and now."""
    return int(began) + seconds <= at <= time.time() + seconds


def wait_until(ask, what, seconds=WAIT_SECONDS):
    """Asks again and again until the answer is true, and returns it."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        NEVER.wait(0.005)  # lets the others have the processor between two questions
    return answer


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="stagedoor-e2e-")


def main():
    """unittest.main that names each guarantee and ends with how many held."""
    began = time.monotonic()
    program = unittest.main(module="__main__", verbosity=2, exit=False)
    result = program.result
    held = result.testsRun - len(result.failures) - len(result.errors) - len(result.skipped)
    name = pathlib.Path(sys.argv[0]).name
    print(
        f"{name}: {held} of {result.testsRun} guarantees held, {len(result.skipped)} skipped, in "
        f"{time.monotonic() - began:.1f} s",
        file=sys.stderr,
    )
    sys.exit(0 if result.wasSuccessful() else 1)
