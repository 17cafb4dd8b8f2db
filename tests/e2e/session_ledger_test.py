"""Each session is counted once, and the same client may come back to its own.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import sqlite3
import unittest

from cases import MotionClient, Stage, main, wait_until
from motion_messages import Error
from raw_websocket import Refusal

NONCE = {"X-Client-Nonce": "a-nonce-of-this-client"}


class Ledger(unittest.TestCase):
    def setUp(self):
        self.server = Stage().__enter__()
        self.addCleanup(self.server.close)

    def rows(self):
        path = self.server.data / "stagedoor.db"
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as store:
            store.row_factory = sqlite3.Row
            return [dict(row) for row in store.execute("SELECT * FROM sessions ORDER BY id")]

    def knock(self, token, headers=None):
        answer = self.server.knock(token, headers=headers or {})
        if not isinstance(answer, Refusal):
            self.addCleanup(answer.wire.drop)
        return answer

    def confirmed(self, websocket):
        """The session's id, once it is configured."""
        return MotionClient(websocket).configure()

    # Rule session-counted-once.
    def test_a_session_is_in_the_ledger_from_its_begin_to_its_end(self):
        session = self.server.session()
        (row,) = self.rows()
        self.assertEqual(row["id"], session.connection_id)
        self.assertEqual(
            (row["app_id"], row["environment"], row["dialect"], row["peer"]),
            (self.server.app_id, 1, "spatius", "127.0.0.1"),
        )
        self.assertIsNone(row["ended_at"])
        session.websocket.wire.drop()
        wait_until(lambda: self.rows()[0]["ended_at"], "the ledger to hear of the end")
        (row,) = self.rows()
        self.assertEqual(row["end_reason"], "client")
        for action in ("session.begin", "session.end"):
            (entry,) = self.server.audited(action)
            self.assertEqual(entry["subject"], row["id"])

    def listed(self, query="", key=None):
        bearer = {"Authorization": f"Bearer {key or self.server.api_key}"}
        reply = self.server.http("GET", "/v1/sessions" + query, bearer)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def ids(self, query="", key=None):
        return [session["id"] for session in self.listed(query, key)["data"]]

    # Rule session-kept-after-its-end.
    def test_sessions_that_are_over_are_listed_with_their_end_a_page_at_a_time(self):
        sessions = [self.server.session(self.server.token()) for _ in range(5)]
        for session in sessions:
            self.addCleanup(session.websocket.wire.drop)
        for session in sessions[:3]:
            session.websocket.wire.drop()
        wait_until(lambda: len(self.ids("?state=ended")) == 3, "the ledger to hear of the ends")
        over = {session.connection_id for session in sessions[:3]}
        live = {session.connection_id for session in sessions[3:]}
        self.assertEqual(set(self.ids("?state=ended")), over)
        self.assertEqual(set(self.ids("?state=live")), live)
        self.assertEqual(set(self.ids()), over | live)
        # Rule list-in-order-of-making.
        self.assertEqual(self.ids(), [session.connection_id for session in reversed(sessions)])
        told = self.listed("?state=ended")["data"][0]
        self.assertEqual((told["state"], told["end_reason"]), ("ended", "client"))
        self.assertGreaterEqual(told["ended_at"], told["began_at"])
        bearer = {"Authorization": f"Bearer {self.server.api_key}"}
        one = self.server.http("GET", "/v1/sessions/" + told["id"], bearer)
        self.assertEqual(one.json(), told | {"toolCalls": []})
        page, found = self.listed("?limit=2"), []
        while page["next"]:
            found += page["data"]
            page = self.listed("?limit=2&cursor=" + page["next"])
        found += page["data"]
        self.assertEqual([session["id"] for session in found], self.ids())

    # Rule session-kept-after-its-end.
    # Rule live-session-of-its-app.
    def test_a_key_of_another_app_or_environment_sees_none_of_them(self):
        self.server.session().websocket.wire.drop()
        (session_id,) = self.ids()
        others = [json.loads(self.server.must("key", "create", *words, "--json"))["api_key"]
                  for words in (("--app", self.server.app_id, "--live"),
                                ("--app", self.server.second_app()))]
        for key in others:
            bearer = {"Authorization": f"Bearer {key}"}
            wait_until(lambda: self.server.http("GET", "/v1/me", bearer).status == 200, "the key")
            self.assertEqual(self.ids(key=key), [])
            self.assertEqual(self.ids("?app_id=" + self.server.app_id, key), [])
            theirs, none = (self.server.http("GET", "/v1/sessions/" + one, bearer)
                            for one in (session_id, "none"))
            self.assertEqual((theirs.status, theirs.body), (404, none.body))

    # Rule session-counted-once.
    def test_sessions_of_a_killed_server_are_closed_when_it_starts_again(self):
        sessions = [self.server.session() for _ in range(3)]
        for session in sessions:
            self.addCleanup(session.websocket.wire.drop)
        self.server.restart(9)
        rows = self.rows()
        self.assertEqual({row["id"] for row in rows}, {one.connection_id for one in sessions})
        for row in rows:
            self.assertEqual(row["end_reason"], "server_died")
            self.assertEqual(row["ended_at"], row["last_seen_at"])
        self.assertEqual(len(self.server.audited("session.end")), 3)

    def test_a_server_that_stops_in_order_ends_its_sessions_in_the_ledger(self):
        session = self.server.session()
        self.addCleanup(session.websocket.wire.drop)
        self.server.restart()
        (row,) = self.rows()
        self.assertEqual(row["end_reason"], "shutting_down")

    # Rule session-token-retry-by-same-client.
    def test_the_same_client_gets_its_session_back_and_its_older_connection_is_ended(self):
        token = self.server.token()
        first = self.knock(token, NONCE)
        session_id = self.confirmed(first)
        again = self.knock(token, NONCE)
        self.assertNotIsInstance(again, Refusal)
        said = MotionClient(first).receive()
        self.assertIsInstance(said, Error)
        self.assertIn("goes on in another connection", said.text)
        self.assertEqual(self.confirmed(again), session_id)
        self.assertTrue(MotionClient(again).still_serves())
        self.assertEqual(len(self.rows()), 1)

    # Rule session-token-retry-by-same-client.
    def test_a_client_that_was_asked_off_does_not_come_back_while_its_socket_is_still_open(self):
        token = self.server.token()
        first = self.knock(token, NONCE)
        session_id = self.confirmed(first)
        bearer = {"Authorization": f"Bearer {self.server.api_key}"}
        self.server.http("POST", f"/v1/live-sessions/{session_id}/end", bearer, {})
        # It leaves our close frame unanswered; that the end is kept does not wait for it.
        wait_until(lambda: self.rows()[0]["end_reason"] == "ended", "the end in the ledger",
                   seconds=3)
        again = self.knock(token, NONCE)
        self.assertIsInstance(again, Refusal)
        self.assertEqual(again.status, 400)

    # Rule session-token-retry-by-same-client.
    def test_a_retry_works_after_kill_9_too(self):
        token = self.server.token()
        session_id = self.confirmed(self.knock(token, NONCE))
        self.server.restart(9)
        again = self.knock(token, NONCE)
        self.assertNotIsInstance(again, Refusal)
        self.assertEqual(self.confirmed(again), session_id)
        (row,) = self.rows()
        self.assertIsNone(row["ended_at"])

    # Rule session-token-reuse-is-suspected-theft.
    def test_a_second_client_is_refused_and_an_alarm_raised(self):
        token = self.server.token()
        self.assertNotIsInstance(self.knock(token, NONCE), Refusal)
        for headers in ({}, {"X-Client-Nonce": "a-nonce-of-another"}):
            refusal = self.knock(token, headers)
            self.assertIsInstance(refusal, Refusal)
            self.assertEqual(refusal.status, 400)
        self.server.wait_for_log("session_token.reuse_suspected_theft", earlier_peer="127.0.0.1")
        self.server.wait_for_log("event", type="session_token.suspect_theft")
        wait_until(
            lambda: self.server.audited("session_token.suspect_theft"), "the audit entry"
        )
        self.assertNotIn("a-nonce-of", self.server.log())

    def test_a_nonce_in_no_form_is_refused_and_costs_nothing(self):
        token = self.server.token()
        refusal = self.knock(token, {"X-Client-Nonce": "short"})
        self.assertEqual(refusal.status, 400)
        self.assertIn(b"16 to 128", refusal.body)
        self.assertNotIsInstance(self.knock(token, NONCE), Refusal)


if __name__ == "__main__":
    main()
