"""An app's server sees who is on stage, and asks somebody off it.

SPDX-License-Identifier: Apache-2.0
"""

import json
import time
import unittest

from cases import Stage, is_ahead, main, wait_until
from motion_messages import Error
from raw_websocket import Refusal

PATH = "/v1/live-sessions"


class LiveSessions(unittest.TestCase):
    def setUp(self):
        self.server = Stage().__enter__()
        self.addCleanup(self.server.close)
        self.sessions = []

    def call(self, method, path, body=None, key=None):
        key = key or self.server.api_key
        return self.server.http(method, path, {"Authorization": f"Bearer {key}"}, body)

    def listed(self, query="", key=None):
        reply = self.call("GET", PATH + query, key=key)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def open(self, key=None, app=None, **members):
        reply = self.call("POST", "/v1/session-tokens", members, key)
        self.assertEqual(reply.status, 201, reply.body)
        session = self.server.session(reply.json()["session_token"], app=app)
        self.addCleanup(session.websocket.wire.drop)
        return session

    def key_of(self, *words):
        made = json.loads(self.server.must("key", "create", "--name", "k", "--json", *words))
        wait_until(lambda: self.server.mint(made["api_key"]).status == 200, "the key to work")
        return made["api_key"]

    def test_a_session_is_listed_with_what_is_known_of_it_until_it_ends(self):
        self.assertEqual(self.listed(), {"data": [], "next": None})
        began = time.time()
        session = self.open(
            end_user_id="user-7", metadata={"room": 7}, leash={"length_max_seconds": 1000}
        )
        (one,) = self.listed()["data"]
        self.assertEqual(one["id"], session.connection_id)
        self.assertEqual(one["app_id"], self.server.app_id)
        self.assertEqual(one["environment"], "test")
        self.assertEqual(one["dialect"], "spatius")
        self.assertEqual(one["peer"], "127.0.0.1")
        self.assertEqual(one["end_user_id"], "user-7")
        self.assertEqual(one["avatar_id"], self.server.avatar_id)
        self.assertEqual(one["metadata"], {"room": 7})
        self.assertTrue(one["minted_by"].startswith("key_"))
        self.assertTrue(is_ahead(one["began_at"], 0, began), one)
        self.assertEqual(one["ends_at"] - one["began_at"], 1000)
        self.assertEqual(self.call("GET", f"{PATH}/{one['id']}").json(), one)
        session.websocket.wire.drop()
        wait_until(lambda: self.listed()["data"] == [], "the session to leave the list")
        self.assertEqual(self.call("GET", f"{PATH}/{one['id']}").status, 404)

    def test_filters_narrow_the_list(self):
        first = self.open(end_user_id="one")
        second = self.open(end_user_id="two")
        both = {first.connection_id, second.connection_id}
        minted_by = self.listed()["data"][0]["minted_by"]
        for query, wanted in (
            ("?end_user_id=one", {first.connection_id}),
            ("?end_user_id=nobody", set()),
            (f"?app_id={self.server.app_id}", both),
            ("?app_id=app_nobody", set()),
            (f"?avatar_id={self.server.avatar_id}&end_user_id=two", {second.connection_id}),
            (f"?api_key_id={minted_by}", both),
            ("?api_key_id=key_0000000000000000", set()),
            ("?environment=test", both),
            ("?environment=live", set()),
        ):
            with self.subTest(query=query):
                self.assertEqual({one["id"] for one in self.listed(query)["data"]}, wanted)

    def test_pages_follow_each_other_until_the_last(self):
        wanted = sorted(self.open().connection_id for _ in range(5))
        seen, query = [], "?limit=2"
        while True:
            page = self.listed(query)
            self.assertLessEqual(len(page["data"]), 2)
            seen += [one["id"] for one in page["data"]]
            if page["next"] is None:
                break
            query = f"?limit=2&cursor={page['next']}"
        self.assertEqual(seen, wanted)

    # Rule live-session-of-its-app.
    def test_sessions_of_other_apps_and_environments_are_not_there(self):
        live_key = self.key_of("--live")
        other_app = self.server.second_app()
        other_key = self.key_of("--app", other_app)
        own, live = self.open(), self.open(live_key)
        other = self.open(other_key, app=other_app)
        for key, session in ((None, own), (live_key, live), (other_key, other)):
            self.assertEqual([one["id"] for one in self.listed(key=key)["data"]],
                             [session.connection_id])
        nothing = self.call("GET", f"{PATH}/nobody")
        for session in (live, other):
            for method, path in (("GET", ""), ("POST", "/end")):
                reply = self.call(method, f"{PATH}/{session.connection_id}{path}")
                self.assertEqual(reply.status, 404)
                self.assertEqual(reply.json(), nothing.json())
            self.assertTrue(session.still_serves())

    # Rule leash-concurrency.
    def test_who_fills_the_places_of_one_environment_keeps_nobody_out_of_the_other(self):
        live_key = self.key_of("--live")
        self.server.limits("--sessions", "1")
        for filler, other in ((None, live_key), (live_key, None)):
            with self.subTest(filled_by="live" if filler else "test"):
                first = self.open(filler)
                self.assertEqual(self.active(filler), (1, False))
                self.assertEqual(self.active(other), (0, True))
                refused = self.server.knock(self.server.token(filler))
                self.assertIsInstance(refused, Refusal)
                self.assertEqual(refused.status, 429)
                self.assertEqual(refused.headers["retry-after"], "5")
                self.assertEqual(self.server.session(self.server.token(other)).still_serves(), True)
                self.server.restart()
                first.websocket.wire.drop()

    def active(self, key):
        """Live sessions as the key is told of them, and whether one more may start."""
        told = self.call("GET", "/v1/sessions/concurrency", key=key).json()
        self.assertEqual(told["limit"], 1)
        return told["active"], told["canStartSession"]

    def test_a_session_is_ended_by_its_id_and_the_reason_is_in_the_audit_log(self):
        session = self.open()
        path = f"{PATH}/{session.connection_id}/end"
        reply = self.call("POST", path, {"reason": "rude"})
        self.assertEqual(reply.status, 202, reply.body)
        self.assertEqual(reply.json(), {"id": session.connection_id, "is_ending": True})
        said = session.receive()
        self.assertIsInstance(said, Error)
        self.assertIn("ended by its app", said.text)
        self.assertEqual(session.websocket.wait_until_closed().code, 1000)
        wait_until(lambda: self.listed()["data"] == [], "the session to leave the list")
        self.assertEqual(self.call("POST", path, {}).status, 404)
        (entry,) = self.server.audited("live_session.end")
        self.assertEqual((entry["subject"], entry["detail"]), (session.connection_id, "rude"))

    def test_bad_input_is_told_what_is_wrong(self):
        for query in ("?limit=0", "?limit=1001", "?limit=x", "?limit=", "?environment=prod"):
            with self.subTest(query=query):
                self.assertEqual(self.call("GET", PATH + query).status, 400)
        session = self.open()
        path = f"{PATH}/{session.connection_id}/end"
        for body in ({"why": "x"}, {"reason": 7}, {"reason": "r" * 201}, "{"):
            with self.subTest(body=body):
                self.assertEqual(self.call("POST", path, body).status, 400)
        self.assertTrue(session.still_serves())

    def test_without_a_credential_nobody_is_listed_or_ended(self):
        session = self.open()
        for method, path in (("GET", ""), ("GET", f"/{session.connection_id}"),
                             ("POST", f"/{session.connection_id}/end")):
            self.assertEqual(self.server.http(method, PATH + path).status, 401)
        self.assertTrue(session.still_serves())


if __name__ == "__main__":
    main()
