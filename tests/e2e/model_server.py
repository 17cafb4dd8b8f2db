"""A language model for tests: an OpenAI-compatible endpoint on this machine that says what a test has it
say.

SPDX-License-Identifier: Apache-2.0
"""

import http.server
import json
import threading


class Model(http.server.BaseHTTPRequestHandler):
    """Answers POSTs; a test's own class says what, in `reply_to`."""

    def do_POST(self):
        self.reply_to(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def say(self, **message):
        self.answer({"choices": [{"message": {"role": "assistant", "content": ""} | message}]})

    def answer(self, body):
        body = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def call_of(name, arguments, call_id="call_1"):
    """What a model says to call one tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return [{"id": call_id, "type": "function", "function": function}]


def serve(model, case):
    """Its address, until the test case's class is through."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    case.addClassCleanup(server.server_close)
    case.addClassCleanup(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"
