"""Each session is counted once, and the same client may come back to its own.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
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
        self.server.wait_for_log("event", type="session_token.theft_suspected")
        wait_until(
            lambda: self.server.audited("session_token.theft_suspected"), "the audit entry"
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
