"""The real server as a test drives it: Server makes a data folder, starts the binary, talks to it.

    with Server() as server:          # init() and start(); close() at the end
        reply = server.http("GET", "/")
        assert reply.status == 200

The binary is named by the environment variable STAGEDOOR. Only the standard library is needed.

SPDX-License-Identifier: Apache-2.0
"""

import dataclasses
import http.client
import json
import os
import pathlib
import queue
import signal
import subprocess
import tempfile
import threading

START_SECONDS = 30
# For whoever tests other things than limits: they mint more often than a free key may.
NO_LIMITS = """[limits]
api_key_free = "unlimited"
api_key_creator = "unlimited"
api_key_pro = "unlimited"
person = "unlimited"
stranger = "unlimited"
password = "unlimited"
login = "unlimited"
account_creation = "unlimited"
"""
STOP_SECONDS = 30
FINDINGS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")


@dataclasses.dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)


class Server:
    """One data folder and, between start() and stop(), one running server on a free port.

    `data` is the folder (a temporary one unless given, gone with close() or with this object),
    `port` the port, `initialised` what init printed. `log()` is all that the server has written so
    far, both streams. After stop() the same data may be started again. `settings` is the text of
    the settings file; rate limits are off unless it has a table [limits].
    """

    def __init__(self, data=None, serve_arguments=(), settings=""):
        self.binary = os.environ["STAGEDOOR"]
        self._own_data = None
        if data is None:
            self._own_data = tempfile.TemporaryDirectory(prefix="stagedoor-e2e-")
        self.data = pathlib.Path(data or self._own_data.name)
        self.serve_arguments = list(serve_arguments)
        self.settings = settings
        self.initialised = None
        self.port = None
        self.process = None
        self._lines = []
        self._readers = []

    def __enter__(self):
        try:
            self.init()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def init(self, *arguments):
        """Runs `init` and returns its JSON: the first app, its avatar and its key."""
        command = [self.binary, "init", "--data", str(self.data), "--json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS)
        if done.returncode != 0:
            raise RuntimeError(f"init ended with {done.returncode}: {done.stdout}{done.stderr}")
        self.initialised = json.loads(done.stdout)
        return self.initialised

    def start(self, *arguments):
        """Starts `serve` on a free port of 127.0.0.1 and waits for its first line, the address."""
        command = [self.binary, "serve", "--data", str(self.data)]
        command += ["--listen", "127.0.0.1:0", "--json", "--config", self.write_settings()]
        self.process = subprocess.Popen(
            [*command, *self.serve_arguments, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first_line = queue.SimpleQueue()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, sink), daemon=True)
            for stream, sink in ((self.process.stdout, first_line), (self.process.stderr, None))
        ]
        for reader in self._readers:
            reader.start()
        try:
            line = first_line.get(timeout=START_SECONDS)
            self.port = int(json.loads(line)["listening"].rsplit(":", 1)[1])
        except (queue.Empty, ValueError, KeyError, TypeError) as error:
            self.process.kill()
            self.process.wait()
            for reader in self._readers:
                reader.join()  # what it said on its way is part of the message
            raise RuntimeError(f"serve did not say where it listens:\n{self.log()}") from error
        return self

    def write_settings(self):
        """The settings as a file; its path."""
        text = self.settings + "\n"
        if "[limits]" not in text:
            text += NO_LIMITS
        path = self.data / "settings.toml"
        path.write_text(text)
        return str(path)

    def _read(self, stream, first_line):
        for line in stream:
            self._lines.append(line)
            if first_line is not None:
                first_line.put(line)
                first_line = None
        stream.close()
        if first_line is not None:
            first_line.put("")  # Ended without a word: start() need not wait for its time limit.

    def stop(self):
        """Sends SIGTERM, waits, and returns the exit status (None if it was not running)."""
        status = None
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
            try:
                status = self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                words = f"serve did not stop in {STOP_SECONDS} s:\n{self.log()}"
                raise RuntimeError(words) from None
            finally:
                for reader in self._readers:
                    reader.join()
                self.process = None
            self._refuse_findings()
        return status

    def _refuse_findings(self):
        """What a sanitizer finds while the server stops would else pass unnoticed."""
        log = self.log()
        if any(words in log for words in FINDINGS):
            raise RuntimeError(f"a sanitizer found something:\n{log}")

    def close(self):
        """stop(), and the end of a temporary data folder."""
        try:
            return self.stop()
        finally:
            if self._own_data is not None:
                self._own_data.cleanup()

    def has_sanitizer(self):
        """Then what is freed is kept back, or memory has its shadow, and what is there says little of
        what is used."""
        program = pathlib.Path(self.binary).read_bytes()
        return b"__asan_init" in program or b"__tsan_init" in program

    def log(self):
        return "".join(self._lines)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def http(self, method, path, headers=None, body=None):
        """One request, its own connection. A `body` that is not bytes or text goes as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
