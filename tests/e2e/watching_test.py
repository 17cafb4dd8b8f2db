"""What an operator sees of the real binary, in its metrics and its log, and what nobody sees there.

SPDX-License-Identifier: Apache-2.0
"""

import json
import re
import urllib.parse

from cases import MINT_PATH, SOCKET_PATH, OneStage, main, silence, wait_until
from raw_websocket import Refusal, Wire, open_websocket


class Watching(OneStage):
    def setUp(self):
        super().setUp()
        self.server.start()

    def samples(self):
        """{name with labels: value}, from text that must be in Prometheus's format."""
        reply = self.server.http("GET", "/metrics")
        self.assertEqual(reply.status, 200)
        self.assertTrue(reply.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        types, found = {}, {}
        for line in reply.body.decode().splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, types, "a family stands in one place")
                types[name] = kind
            elif not line.startswith("# HELP "):
                matched = re.fullmatch(
                    r'([a-zA-Z_:][\w:]*)(\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})? (\S+)( \d+)?', line
                )
                self.assertIsNotNone(matched, line)
                family = re.sub(r"_(bucket|sum|count)$", "", matched[1])
                self.assertTrue(matched[1] in types or types.get(family) == "histogram", line)
                self.assertNotIn(matched[1] + (matched[2] or ""), found, "a sample stands once")
                found[matched[1] + (matched[2] or "")] = float(matched[3])
        return found

    def test_health_and_readiness_are_told(self):
        self.assertEqual(self.server.http("GET", "/healthz").json()["status"], "alive")
        self.assertEqual(self.server.http("GET", "/readyz").json(), {"status": "ready"})
        for path in ("/healthz", "/readyz", "/metrics"):
            head = self.server.http("HEAD", path)
            self.assertEqual((head.status, head.body), (200, b""))
            self.assertEqual(self.server.http("POST", path).status, 405)

    def test_metrics_are_valid_and_their_counters_move(self):
        before = self.samples()
        with self.server.session() as session:
            session.perform("a", silence(2))
            during = self.samples()
            session.send(b"\xff")
            session.websocket.wait_until_closed()
        self.assertEqual(self.server.mint("bad").status, 401)
        self.assertEqual(during["stagedoor_live_sessions"], 1)
        self.assertEqual(during["stagedoor_websockets"], 1)
        wait_until(lambda: self.samples()["stagedoor_live_sessions"] == 0, "the session to end")
        after = self.samples()
        grown = {name: after[name] - before.get(name, 0) for name in after}
        self.assertEqual(grown["stagedoor_sessions_total"], 1)
        self.assertEqual(grown["stagedoor_utterances_total"], 1)
        self.assertEqual(grown["stagedoor_motion_frames_total"], 50)
        self.assertEqual(grown["stagedoor_audio_milliseconds_total"], 2000)
        self.assertEqual(grown["stagedoor_session_errors_total"], 1)
        self.assertEqual(after["stagedoor_api_keys"], 2)
        minted = [
            name
            for name in grown
            if name.startswith("stagedoor_http_requests_total") and MINT_PATH in name
        ]
        self.assertEqual(
            {re.search(r'status="(\dxx)"', name)[1]: grown[name] for name in minted},
            {"2xx": 1, "4xx": 1},
        )

    def test_histograms_are_cumulative_and_end_with_their_count(self):
        for _ in range(5):
            self.server.mint()
        found = self.samples()
        route = f'route="{MINT_PATH}"'
        buckets = [
            (name, value)
            for name, value in found.items()
            if name.startswith("stagedoor_http_request_seconds_bucket") and route in name
        ]
        counts = [value for _, value in buckets]
        self.assertEqual(counts, sorted(counts))
        self.assertIn('le="+Inf"', buckets[-1][0])
        self.assertEqual(counts[-1], found["stagedoor_http_request_seconds_count{" + route + "}"])

    def test_paths_that_strangers_make_up_do_not_become_labels(self):
        for index in range(50):
            self.server.http("GET", f"/made/up/{index}")
        text = self.server.http("GET", "/metrics").body
        self.assertNotIn(b"/made", text)

    def test_every_line_of_the_log_is_json_and_requests_are_found_by_their_id(self):
        reply = self.server.mint("bad")
        entry = self.server.wait_for_log("http.request", request_id=reply.headers["X-Request-Id"])
        self.assertEqual(
            (entry["status"], entry["method"], entry["route"]), (401, "POST", MINT_PATH)
        )
        with self.server.session() as session:
            session.websocket.close()
        ended = self.server.wait_for_log("session.ended", session_id=session.connection_id)
        begun = self.server.wait_for_log("session.begun", session_id=session.connection_id)
        self.assertEqual(begun["request_id"], ended["request_id"])
        self.assertEqual(ended["close_code"], 1000)
        self.server.halt()
        for line in self.server.log().splitlines():
            entry = json.loads(line)
            if "listening" in entry:
                continue  # the one line on standard output, which may come second
            self.assertRegex(entry["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(entry["level"], ("debug", "info", "warning", "error"))
            self.assertTrue(entry["event"])

    def test_what_a_stranger_writes_cannot_break_or_forge_a_line_of_the_log(self):
        forged = '\n{"time":"2026-01-01T00:00:00.000Z","level":"error","event":"forged"}\n'
        self.server.knock("x", app=forged, avatar=forged, by="query")
        self.server.http("GET", "/" + urllib.parse.quote(forged))
        self.server.wait_for_log("connection.refused")
        self.server.halt()
        lines = [json.loads(line) for line in self.server.log().splitlines()]
        entries = [line for line in lines if "listening" not in line]
        self.assertNotIn("forged", [entry["event"] for entry in entries])


class Secrecy(OneStage):
    settings = '[log]\nlevel = "debug"\n'

    def test_no_credential_is_in_any_line_of_the_log_nor_in_the_metrics(self):
        server = self.server
        server.start()
        port = server.port
        made = json.loads(server.must("key", "create", "--json"))
        wait_until(lambda: server.mint(made["api_key"]).status == 200, "the new key to be known")
        tokens = [server.token() for _ in range(8)]
        with server.session(tokens[0], by="query") as session:
            session.perform("a", silence(1))
            session.websocket.close()
        with server.session(tokens[1]) as session:
            session.websocket.close()
        # Refusals are logged with their target: each in another way.
        server.knock(tokens[0], by="query")
        server.knock(tokens[2], by="query", avatar="unknown")
        server.knock(tokens[2] + "x", by="query")
        encoded = "".join(f"%{byte:02x}" for byte in tokens[3].encode())
        base = f"id={server.avatar_id}&appId={server.app_id}"
        for target in (
            f"{SOCKET_PATH}?{base}&session%4Bey={tokens[3]}",
            f"{SOCKET_PATH}?{base}&sessionKey=x&sessionKey={tokens[3]}",
            f"{SOCKET_PATH}?sessionKey={tokens[3]}",
            f"{SOCKET_PATH}?sessionkey={tokens[3]}",
            f"{SOCKET_PATH}x?sessionKey={tokens[3]}",
            f"/nowhere?sessionKey={tokens[3]}&token={tokens[3]}",
            f"{MINT_PATH}?apiKey={made['api_key']}&api_key={made['api_key']}",
            f"{SOCKET_PATH}?{base}&sessionKey={encoded}x",
            f"{SOCKET_PATH}?{base}&sessionKey={tokens[4]}%zz",
            f"{SOCKET_PATH}?sessionKey={tokens[4]}&" + "x" * 20000,
        ):
            answer = open_websocket(port, target)
            if not isinstance(answer, Refusal):
                answer.wire.drop()
        for text in (
            f"GET {SOCKET_PATH}?sessionKey={tokens[4]} HTTP/1.1\r\nBad Header: x\r\n\r\n",
            f"GET {SOCKET_PATH}?token={tokens[4]} HTTP/1.1\r\nX-Session-Key {tokens[5]}\r\n\r\n",
            f"GET http://h{SOCKET_PATH}?sessionKey={tokens[4]} HTTP/1.1\r\nHost: x\r\n\r\n",
            f"POST {MINT_PATH} HTTP/1.1\r\nHost: x\r\n"
            f"X-Api-Key: {made['api_key']}\r\nX-Api-Key: {made['api_key']}\r\n"
            "Content-Length: 0\r\n\r\n",
        ):
            with Wire(port) as wire:
                wire.send(text.encode())
                self.assertGreaterEqual(wire.take_answer().status, 400)
        server.http("POST", MINT_PATH, {"Authorization": "Bearer " + made["api_key"]}, {})
        server.http("POST", MINT_PATH, {"X-Api-Key": made["api_key"][:-1] + "!"}, {})
        server.mint(made["api_key"], expireAt=1)
        server.mint(made["api_key"], appId=made["api_key"])
        page = server.http("POST", "/door/session", {"Origin": server.address}).json()[
            "sessionToken"
        ]
        metrics = server.http("GET", "/metrics").body.decode()
        server.halt()
        secrets = [
            made["api_key"],
            made["api_key"][8:-6],
            server.api_key,
            server.api_key[8:-6],
            page,
            page.rsplit(".", 1)[1],
            (server.data / "page-key").read_text().strip(),
            (server.data / "server-secret").read_text().strip(),
        ]
        secrets += tokens + [token.rsplit(".", 1)[1] for token in tokens]
        self.assertGreater(len(server.log_entries()), 30)
        for line in [*server.log().splitlines(), *metrics.splitlines()]:
            for secret in secrets:
                self.assertNotIn(secret, urllib.parse.unquote(line))
        self.assertIn("sessionKey=***", server.log())


if __name__ == "__main__":
    main()
