"""What was used, against the real binary: calls of keys, sessions, and that nothing is lost.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import signal
import sqlite3

from cases import OneStage, main, wait_until


class Usage(OneStage):
    def setUp(self):
        super().setUp()
        self.server.start()

    def get(self, path, key=None):
        bearer = {"Authorization": f"Bearer {key or self.server.api_key}"}
        return self.server.http("GET", path, bearer)

    def rows(self, path="/v1/usage"):
        reply = self.get(path)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()["data"]

    def a_session(self, **how):
        with self.server.session(**how) as session:
            self.assertTrue(session.still_serves())

    def ended(self, count):
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            query = "SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL"
            return store.execute(query).fetchone()[0] == count


class Api(Usage):
    # Rule usage-of-keys.
    def test_200_every_call_of_a_key_is_counted_once_and_none_is_lost_at_a_clean_end(self):
        for _ in range(40):
            self.assertEqual(self.server.mint().status, 200)
        self.assertEqual(self.server.halt(), 0)
        self.server.start()
        rows = self.rows("/v1/usage/keys?by=hour")
        self.assertEqual(sum(row["calls"] for row in rows), 40)
        self.assertEqual(sum(row["refusals"] for row in rows), 0)
        self.assertRegex(rows[0]["api_key_id"], "^key_[0-9a-f]{16}$")
        by_month = self.rows("/v1/usage?by=month")
        self.assertGreaterEqual(sum(row["calls"] for row in by_month), 40)
        self.assertEqual(by_month[0]["app_id"], self.server.app_id)

    # Rule usage-counted-once.
    # Rule usage-of-tests-is-free.
    def test_200_each_session_is_counted_once_by_app_and_by_end_user(self):
        for end_user in ("ann", "ann", "bob"):
            token = self.server.command_token("--end-user", end_user)
            self.a_session(token=token)
        wait_until(lambda: self.ended(3), "the sessions to end")
        rows = self.rows()
        self.assertEqual(sum(row["sessions"] for row in rows), 3)
        self.assertGreaterEqual(sum(row["seconds"] for row in rows), 3)
        self.assertEqual(sum(row["billable_seconds"] for row in rows), 0)
        self.assertEqual({row["environment"] for row in rows}, {"test"})
        by_user = {row["end_user_id"]: row["sessions"] for row in self.rows("/v1/usage/end-users")}
        self.assertEqual(by_user, {"ann": 2, "bob": 1})
        self.assertIn("agree on 3 sessions", self.server.must("usage", "reconcile"))

    def test_200_live_sessions_cost_their_seconds(self):
        made = json.loads(self.server.must("key", "create", "--live", "--json"))
        wait_until(lambda: self.server.mint(made["api_key"]).status == 200, "the key to be known")
        self.a_session(token=self.server.token(made["api_key"]))
        wait_until(lambda: self.ended(1), "the session to end")
        rows = self.get("/v1/usage", made["api_key"]).json()["data"]
        self.assertEqual({row["environment"] for row in rows}, {"live"})
        self.assertGreaterEqual(sum(row["billable_seconds"] for row in rows), 1)
        self.assertEqual(sum(row["sessions"] for row in self.rows()), 0, "a test key sees no live data")

    def test_200_a_page_at_a_time(self):
        for number in range(3):
            self.a_session(token=self.server.command_token("--end-user", f"user {number}"))
        seen, query = [], "?limit=1"
        while True:
            page = self.get("/v1/usage/end-users" + query).json()
            seen += [row["end_user_id"] for row in page["data"]]
            if page["next"] is None:
                break
            query = "?limit=1&cursor=" + page["next"]
        self.assertEqual(seen, ["user 0", "user 1", "user 2"])

    def test_400_a_parameter_that_is_not_right_is_named(self):
        for query in ("from=x", "to=-1", "by=week", "limit=0", "cursor=!", "environment=prod",
                      "from=2000000000&to=1000000000", "from=0&to=1000000000"):
            reply = self.get("/v1/usage?" + query)
            self.assertEqual(reply.status, 400, query)
            self.assertIn("`" + query.split("=")[0] + "`", reply.json()["detail"])

    def test_401_without_a_credential_and_403_for_live_data_with_a_test_key(self):
        self.assertEqual(self.server.http("GET", "/v1/usage").status, 401)
        self.assertEqual(self.get("/v1/usage?environment=live").status, 403)

    def test_404_another_app_is_as_unknown_as_one_that_is_not_there(self):
        other = self.server.second_app()
        answers = [self.get("/v1/usage?app_id=" + app) for app in (other, "app_none")]
        self.assertEqual([one.status for one in answers], [404, 404])
        self.assertEqual(answers[0].body, answers[1].body)


class Reconcile(Usage):
    def change(self, sql):
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            store.executescript(sql)

    # Rule usage-reconciles.
    def test_a_session_that_was_taken_out_of_the_ledger_is_found_out(self):
        self.a_session()
        wait_until(lambda: self.ended(1), "the session to end")
        self.server.halt()
        self.server.must("usage", "reconcile")
        self.change("DELETE FROM sessions")
        done = self.server.command("usage", "reconcile")
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not stand in the ledger", done.stdout)

    # Rule usage-reconciles.
    # Rule usage-counted-once.
    def test_after_any_kill_every_session_that_was_let_in_is_counted_once(self):
        let_in = 0
        for round_ in range(6):
            sessions = [self.server.session(configured=False) for _ in range(3 + round_)]
            let_in += len(sessions)
            self.server.halt(signal.SIGKILL)
            for session in sessions:
                session.websocket.wire.drop()
            self.server.start()
            self.assertIn(f"agree on {let_in} sessions", self.server.must("usage", "reconcile"))
            self.assertEqual(sum(row["sessions"] for row in self.rows()), let_in)
        wait_until(lambda: self.ended(let_in), "all sessions to be closed")
        self.server.halt()
        self.server.must("audit", "verify")


if __name__ == "__main__":
    main()
