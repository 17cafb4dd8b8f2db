"""POST /v1/engine/session and its signalling socket, against the real binary: a session token opens
a live face, once. What is seen and heard is live_face_test.py's.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import tempfile
import time
import unittest

from anam_mint_test import PATH as MINT_PATH
from anam_mint_test import PRINTED
from cases import Stage, bearer, main, wait_until
from harness import Server
from raw_websocket import Closed, Refusal, open_websocket

PATH = "/v1/engine/session"
ENGINES = "/v1/webrtc/engines"
CLIENT = {"clientMetadata": {"client": "js-sdk", "version": "4.27.0"}}


class EngineSessionCase(unittest.TestCase):
    """A server, and what a test says to it as a client of the engine."""

    def setUp(self):
        self.server = Stage().__enter__()
        self.addCleanup(self.server.close)
        self.engines = {}

    def token(self, **persona):
        body = {"personaConfig": {**PRINTED, **persona}}
        reply = self.server.http("POST", MINT_PATH, bearer(self.server.api_key), body)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()["sessionToken"]

    def start(self, credential, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.http("POST", PATH, {**bearer(credential), **headers}, body or CLIENT)

    def started(self, credential=None, **how):
        reply = self.start(credential or self.token(), **how)
        self.assertEqual(reply.status, 200, reply.body)
        body = reply.json()
        self.engines[body["sessionId"]] = body["signallingEndpoint"].removesuffix("/ws")
        return body["sessionId"]

    def engine(self, session_id):
        """The path that the session's client was told."""
        return self.engines.get(session_id, f"{ENGINES}/nobody")

    def words(self, session_id, content="Hi", **headers):
        return self.server.http("POST", f"{self.engine(session_id)}/talk?session_id={session_id}",
                                headers, {"content": content})

    def refused(self, reply, status, error):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "*")
        self.assertEqual(reply.json()["error"], error)
        self.assertTrue(reply.json()["message"])

    def socket(self, session_id):
        return self.socket_at(self.engine(session_id), session_id)

    def socket_at(self, engine, session_id, headers=()):
        socket = open_websocket(self.server.port, f"{engine}/ws?session_id={session_id}", headers)
        if not isinstance(socket, Refusal):
            self.addCleanup(socket.wire.drop)
        return socket

    def say(self, socket, action, payload, session_id=""):
        socket.send_text(json.dumps(
            {"actionType": action, "sessionId": session_id, "payload": payload}))

    def heard(self, socket):
        return json.loads(socket.take_message())

    def end(self, session_id):
        reply = self.server.http("POST", f"/v1/live-sessions/{session_id}/end",
                                 bearer(self.server.api_key), {})
        self.assertEqual(reply.status, 202, reply.body)

    def heartbeat_of(self, socket, session_id):
        self.say(socket, "heartbeat", "", session_id)
        message = self.heard(socket)
        self.assertEqual(message["actionType"], "heartbeat")
        return message["sessionId"]


class EngineSession(EngineSessionCase):
    def test_the_answer_holds_what_each_of_the_vendors_clients_reads(self):
        answer = self.start(self.token())
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        body = answer.json()
        self.assertRegex(body["sessionId"],
                         r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertEqual(body["engineProtocol"], "http")
        self.assertRegex(body["signallingEndpoint"], rf"^{ENGINES}/[0-9A-Za-z]{{22}}/ws$")
        self.assertEqual(body["engineHost"], f"127.0.0.1:{self.server.port}"
                         + body["signallingEndpoint"].removesuffix("/ws"))
        config = body["clientConfig"]
        self.assertEqual(config["iceServers"], [])
        for name in ("heartbeatIntervalSeconds", "expectedHeartbeatIntervalSecs",
                     "maxWsReconnectionAttempts", "maxWsReconnectAttempts"):
            self.assertGreater(config[name], 0)

    def test_pages_of_any_origin_may_ask(self):
        for path in (PATH, f"{ENGINES}/some/talk", "/v1/metrics/client"):
            reply = self.server.http("OPTIONS", path, {"Origin": "https://page.example"})
            self.assertEqual(reply.status, 204)
            self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "*")
            self.assertIn("Authorization", reply.headers["Access-Control-Allow-Headers"])

    def test_what_is_no_persona_token_opens_nothing(self):
        self.refused(self.start(self.token()[:-2]), 401, "Invalid token")
        self.refused(self.start("rub.bi.sh"), 401, "Invalid token")
        self.refused(self.start("rubbish"), 401, "Invalid API key")
        motion = self.server.token()
        self.refused(self.start(motion), 401, "Invalid token")
        self.assertIn(b"Motion Server", self.start(motion).body)
        reply = self.server.http("POST", PATH, {}, CLIENT)
        self.refused(reply, 401, "Unauthorized")

    def test_the_same_client_gets_its_session_back_and_a_second_one_is_suspected(self):
        """Rule engine-session-retry."""
        token = self.token()
        session_id = self.started(token, User_Agent="Mozilla/5.0 one")
        self.assertEqual(self.started(token, User_Agent="Mozilla/5.0 one"), session_id)
        self.refused(self.start(token, User_Agent="Mozilla/5.0 two"), 401, "Token used")
        self.server.wait_for_log("session_token.reuse_suspected_theft")
        self.assertEqual(self.heartbeat_of(self.socket(session_id), session_id), session_id)

    def test_a_full_app_is_told_so_in_the_words_that_the_client_knows(self):
        self.server.limits("--sessions", "1")
        first = self.started()
        token = self.token()
        refused = self.start(token)
        self.refused(refused, 429, "Concurrent session limit reached")
        self.assertEqual(refused.headers["Retry-After"], "5")
        self.end(first)
        wait_until(lambda: self.start(token).status == 200, "the place, and the token unspent")

    def test_an_api_key_opens_a_session_with_the_persona_of_the_body(self):
        self.started(self.server.api_key, body={**CLIENT, "personaConfig": PRINTED})
        reply = self.start(self.server.api_key, body={"personaConfig": {**PRINTED, "voiceId": "x"}})
        self.assertEqual(reply.status, 400)
        self.assertEqual(reply.json()["details"][0]["path"], "personaConfig.voiceId")

    def test_an_imported_key_in_a_form_of_its_own_opens_a_session_too(self):
        """Rule api-key-imported-hashes."""
        theirs = "acme_3Zf-of-another-server"
        reply = self.server.http("POST", "/v1/keys/import", bearer(self.server.api_key), {"keys": [
            {"name": "moved", "sha256": hashlib.sha256(theirs.encode()).hexdigest()}]})
        self.assertEqual(reply.status, 201, reply.body)
        self.started(theirs, body={**CLIENT, "personaConfig": PRINTED})

    def test_a_size_that_there_is_none_of_is_refused_when_the_token_is_minted(self):
        body = {"personaConfig": PRINTED, "sessionOptions": {"videoWidth": 721, "videoHeight": 480}}
        reply = self.server.http("POST", MINT_PATH, bearer(self.server.api_key), body)
        self.assertEqual(reply.status, 400, reply.body)
        self.assertIn("720x480", reply.json()["message"])

    def test_a_client_says_itself_when_its_user_has_ended(self):
        def heard(sensitivity):
            return {**CLIENT, "sessionOptions": {
                "voiceDetection": {"endOfSpeechSensitivity": sensitivity}}}
        token = self.token()
        refused = self.start(token, body=heard(1.5))
        self.refused(refused, 400, "Bad Request")
        self.assertEqual(refused.json()["details"][0]["path"],
                         "sessionOptions.voiceDetection.endOfSpeechSensitivity")
        self.started(token, body=heard(0.9))

    def test_a_socket_without_a_live_session_is_refused(self):
        for session_id in ("", "x", "01890000-0000-7000-8000-000000000000"):
            refusal = self.socket(session_id)
            self.assertIsInstance(refusal, Refusal)
            self.assertEqual(refusal.status, 404)
        self.refused(self.words("x"), 404, "Not Found")

    def test_the_key_of_the_engine_opens_a_session_and_no_list_log_or_id_does(self):
        """Rule face-engine-key."""
        session_id = self.started()
        others = self.engine(self.started())
        engine = self.engines[session_id]
        for wrong in (f"{ENGINES}/{session_id}", f"{ENGINES}/stagedoor", others, engine + "x",
                      engine[:-1]):
            self.assertEqual(self.socket_at(wrong, session_id).status, 404)
            self.engines[session_id] = wrong
            self.refused(self.words(session_id), 404, "Not Found")
        self.engines[session_id] = engine
        self.assertEqual(self.words(session_id).status, 200)
        self.refused(self.words(session_id, content=""), 400, "Bad Request")
        key = engine.removeprefix(ENGINES + "/")
        self.server.http("GET", f"{engine}/nothing", {})
        for path in ("/v1/live-sessions", f"/v1/live-sessions/{session_id}", "/v1/sessions",
                     f"/v1/sessions/{session_id}"):
            reply = self.server.http("GET", path, bearer(self.server.api_key))
            self.assertEqual(reply.status, 200)
            self.assertNotIn(key.encode(), reply.body)
        self.end(session_id)
        self.server.wait_for_log("session.ended", session_id=session_id)
        self.assertNotIn(key, self.server.log())

    def test_a_page_of_another_origin_speaks_for_no_session(self):
        """Cross-site hijacking, at each call by which a page takes part."""
        minted = self.server.http("POST", "/v1/session-tokens", bearer(self.server.api_key), {
            "persona_id": self.server.initialised["persona_id"],
            "allowed_origins": ["https://good.example"]})
        self.assertEqual(minted.status, 201, minted.body)
        token = minted.json()["session_token"]
        bad = {"Origin": "https://bad.example"}
        self.refused(self.start(token, **bad), 403, "Forbidden")
        session_id = self.started(token, Origin="https://good.example")
        engine = self.engine(session_id)
        for headers in (bad, {"Origin": "null"}, {}):
            self.assertEqual(self.socket_at(engine, session_id, headers).status, 403)
            self.refused(self.words(session_id, **headers), 403, "Forbidden")
        good = {"Origin": "https://good.example"}
        self.assertEqual(self.words(session_id, **good).status, 200)
        self.heartbeat_of(self.socket_at(engine, session_id, good), session_id)

    def test_words_of_the_apps_own_are_spoken(self):
        session_id = self.started()
        self.heartbeat_of(self.socket(session_id), session_id)
        reply = self.words(session_id, "Good morning.")
        self.assertEqual((reply.status, reply.json()), (200, {}))

    def test_what_is_no_message_is_told_by_a_warning_and_the_session_goes_on(self):
        session_id = self.started()
        socket = self.socket(session_id)
        for text in ("garbage", "[]", '{"actionType":"offer","payload":{}}',
                     json.dumps({"actionType": "offer", "payload": {"connectionDescription": {
                         "type": "offer", "sdp": "v=0\r\nnonsense"}}})):
            socket.send_text(text)
            message = self.heard(socket)
            self.assertEqual(message["actionType"], "warning", text)
            self.assertTrue(message["payload"])
        self.assertEqual(self.heartbeat_of(socket, session_id), session_id)

    def test_the_newest_socket_is_the_sessions(self):
        """Rule face-session-reattaches."""
        session_id = self.started()
        first, second = self.socket(session_id), self.socket(session_id)
        self.heartbeat_of(second, session_id)
        with self.assertRaises(Closed):
            first.take_message()
        self.heartbeat_of(second, session_id)

    def test_a_session_ended_by_its_app_says_so_and_its_id_is_worth_nothing(self):
        session_id = self.started()
        socket = self.socket(session_id)
        self.heartbeat_of(socket, session_id)
        self.end(session_id)
        message = self.heard(socket)
        self.assertEqual(message["actionType"], "endsession")
        self.assertIn("ended by its app", message["payload"])
        with self.assertRaises(Closed):
            socket.take_message()
        wait_until(lambda: isinstance(self.socket(session_id), Refusal), "the id to be forgotten")

    def test_a_client_that_goes_gives_its_place_back_within_10_s(self):
        """Rule face-session-abandoned."""
        session_id = self.started()
        socket = self.socket(session_id)
        self.heartbeat_of(socket, session_id)
        socket.wire.drop()
        path = f"/v1/live-sessions/{session_id}"
        wait_until(lambda: self.server.http("GET", path, bearer(self.server.api_key)).status == 404,
                   "the session to end", seconds=10)

    def test_a_revoked_key_ends_the_faces_that_rest_on_it(self):
        session_id = self.started()
        socket = self.socket(session_id)
        self.heartbeat_of(socket, session_id)
        keys = map(json.loads, self.server.must("key", "list", "--json").splitlines())
        self.server.must("key", "revoke", next(k["id"] for k in keys if k["name"] == "first key"))
        message = self.heard(socket)
        self.assertEqual(message["actionType"], "endsession")
        self.assertIn("revoked", message["payload"])

    def test_telemetry_is_counted_by_name_and_nothing_else_of_it_is_kept(self):
        for body in ({"name": "client_session_attempt", "value": 1},
                     {"metrics": [{"name": "client_session_attempt"}, {"name": "made up"}]}):
            self.assertEqual(self.server.http("POST", "/v1/metrics/client", {}, body).status, 200)
        metrics = self.server.http("GET", "/metrics").body.decode()
        count = re.search(r"^stagedoor_clients_tell_client_session_attempt_total (\d+)", metrics,
                          re.M)
        self.assertEqual(count.group(1), "2")
        self.assertNotIn("made up", metrics)
        reply = self.server.http("POST", "/v1/metrics/client", {},
                                 {"metrics": [{"name": "x"}] * 51})
        self.refused(reply, 400, "Bad Request")


class Recognizer(unittest.TestCase):
    def test_a_server_that_can_not_understand_speech_says_so_when_it_starts(self):
        with Stage("[engines]\npocketsphinx_model = \"/nowhere\"\n") as server:
            line = next(json.loads(line) for line in server.log().splitlines()
                        if "recognizer.missing" in line)
        self.assertEqual((line["model"], line["in_its_place"]), ("/nowhere", "nobody"))


class IceServers(unittest.TestCase):
    """STUN and TURN servers by setting, with credentials that end soon."""

    def started(self, server):
        minted = server.http("POST", MINT_PATH, bearer(server.initialised["api_key"]),
                             {"personaConfig": PRINTED})
        reply = server.http("POST", PATH, bearer(minted.json()["sessionToken"]), CLIENT)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def test_clients_are_told_of_them_with_a_credential_that_the_turn_server_can_check(self):
        with tempfile.TemporaryDirectory() as folder:
            secret = pathlib.Path(folder) / "turn-secret"
            secret.touch(0o600)
            secret.write_text("known to both\n")
            settings = f"""[live]
stun_urls = ["stun:stun.example:3478"]
turn_urls = ["turn:turn.example:3478", "turns:turn.example:5349?transport=tcp"]
turn_secret_file = "{secret}"
turn_credential_seconds = 600
"""
            with Server(settings=settings) as server:
                first, second = self.started(server), self.started(server)
        (stun, turn), (_, other) = (one["clientConfig"]["iceServers"] for one in (first, second))
        self.assertEqual(stun, {"urls": ["stun:stun.example:3478"], "credentialType": "password"})
        self.assertEqual(turn["urls"], ["turn:turn.example:3478",
                                        "turns:turn.example:5349?transport=tcp"])
        self.assertEqual(turn["credentialType"], "password")
        ends, name = turn["username"].split(":")
        self.assertAlmostEqual(int(ends), time.time() + 600, delta=60)
        password = hmac.digest(b"known to both", turn["username"].encode(), "sha1")
        self.assertEqual(turn["credential"], base64.b64encode(password).decode())
        # It crosses the network in clear.
        self.assertNotIn(first["sessionId"], turn["username"])
        self.assertNotEqual(name, other["username"].split(":")[1])

    def test_turn_servers_without_their_secret_are_refused_at_the_start(self):
        server = Server(settings='[live]\nturn_urls = ["turn:turn.example:3478"]\n')
        self.addCleanup(server.close)
        server.init()
        with self.assertRaisesRegex(RuntimeError, "turn_secret_file"):
            server.start()


if __name__ == "__main__":
    main()
