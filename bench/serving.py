"""The real server, and others to compare it with, each pinned to one core.

SPDX-License-Identifier: Apache-2.0
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
WORK = ROOT / "build/bench"
# Another binary than the one built here, to compare two.
STAGEDOOR = pathlib.Path(os.environ.get("STAGEDOOR", BUILD / "stagedoor"))
SERVER_CORE, LOAD_CORE = 0, 1
START_SECONDS = 60
SETTINGS = """[server]
threads = 1
connections_max = 19000
connections_per_peer_max = 19000
[log]
level = "warning"
# Counted, as in use, but never reached.
[limits]
api_key_free = "1000000000/sec"
stranger = "1000000000/sec"
person = "1000000000/sec"
"""


def pinned(core, command):
    return ["taskset", "-c", str(core % os.cpu_count()), *map(str, command)]


def run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


class Process:
    """A program that says on its first line where it listens; ended at the end of `with`."""

    def __init__(self, command, core, port_of):
        self._command, self._core, self._port_of = command, core, port_of

    def __enter__(self):
        began = time.monotonic()
        self.process = subprocess.Popen(pinned(self._core, self._command), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        self.port = self._port_of(self.process.stdout.readline())
        self.start_seconds = time.monotonic() - began
        self.pid = self.process.pid
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Folder:
    """A data folder on the disk of the working tree, removed at the end of `with`."""

    def __enter__(self):
        WORK.mkdir(parents=True, exist_ok=True)
        self.path = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        self.data = self.path / "data"
        self.settings = self.path / "settings.toml"
        self.settings.write_text(SETTINGS)
        self.first = json.loads(run([STAGEDOOR, "init", "--data", self.data, "--json"]))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def fill(self, keys, written=0):
        """Puts so many keys into the store; gives the file with the first of them."""
        file = self.path / "keys.txt"
        run([BUILD / "fill_keys", self.data, keys, file, written])
        return file

    def allow_sessions(self, count):
        run([STAGEDOOR, "app", "set", self.first["app_id"], "--data", self.data,
             "--sessions", count])

    def serve(self):
        command = [STAGEDOOR, "serve", "--data", self.data, "--config", self.settings,
                   "--listen", "127.0.0.1:0", "--json"]
        return Process(command, SERVER_CORE,
                       lambda line: int(json.loads(line)["listening"].rsplit(":", 1)[1]))

    def mint(self, port, count):
        """A file of so many session tokens, one a line."""
        connection = http.client.HTTPConnection("127.0.0.1", port)
        body = json.dumps({"expireAt": int(time.time()) + 3600})
        headers = {"X-Api-Key": self.first["api_key"], "Content-Type": "application/json"}
        file = self.path / f"tokens-{time.monotonic_ns()}.txt"
        with open(file, "w") as out:
            for _ in range(count):
                connection.request("POST", "/v1/console/session-tokens", body, headers)
                answer = connection.getresponse()
                content = answer.read()
                if answer.status != 200:
                    raise RuntimeError(content)
                out.write(json.loads(content)["sessionToken"] + "\n")
        connection.close()
        return file

    def crowd(self, mode, port, tokens, *more):
        """The command of a crowd of clients, one session per token."""
        return [BUILD / "motion_load", mode, port, self.first["app_id"], self.first["avatar_id"],
                tokens, *more]


class Nginx:
    """nginx with one worker on the server's core, answering `body` with the given fields."""

    def __init__(self, body, fields, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        added = "".join(f"      add_header {name} '{value}';\n" for name, value in fields.items())
        self._file = folder / "nginx.conf"
        self._file.write_text(f"""daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  server_tokens off;
  default_type application/json;
  client_body_temp_path {folder}/nginx-body;
  server {{
    listen 127.0.0.1:{self.port};
    location / {{
{added}      return 200 '{body}';
    }}
  }}
}}
""")

    def __enter__(self):
        self._master = subprocess.Popen(
            pinned(SERVER_CORE, ["nginx", "-e", "/dev/null", "-c", self._file]),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            children = pathlib.Path(
                f"/proc/{self._master.pid}/task/{self._master.pid}/children").read_text().split()
            if children:
                self.pid = int(children[0])
                return self
            time.sleep(0.01)
        raise RuntimeError("nginx did not start")

    def __exit__(self, *_):
        self._master.terminate()
        self._master.wait()
