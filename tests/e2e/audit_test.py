"""The audit log, against the real binary and its real files.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import pathlib
import re
import shutil
import signal
import sqlite3
import unittest

from cases import OneStage, Stage, main, wait_until
from mint_test import made_up_key

WRONG_KEY = "av_test_00000000000000000000000000000000000"


class Audited(OneStage):
    def bearer(self, key=None):
        return {"Authorization": f"Bearer {key or self.server.api_key}"}

    def read(self, query="", **headers):
        return self.server.http("GET", "/v1/audit" + query, {**self.bearer(), **headers})

    def change(self, sql):
        """What somebody does who has the database at hand."""
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            store.executescript(sql)

    def exported(self, *words):
        return [json.loads(line) for line in self.server.must("audit", "export", *words).split("\n") if line]

    def verify(self, *words):
        done = self.server.command("audit", "verify", *words)
        return done.returncode, done.stdout + done.stderr

    def refuse_recording(self):
        self.change(
            "CREATE TRIGGER refuse BEFORE INSERT ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'no'); END;"
        )


class Words(unittest.TestCase):
    # Rule audit-one-word.
    def test_the_reference_explains_each_word_and_no_other(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        known = re.findall(r'"(\w+\.\w+)",', (root / "src/rules/audit_action.cc").read_text())
        page = (root / "docs/reference/audit-events.md").read_text()
        told = re.findall(r"^\| `(\w+\.\w+)` \|", page, re.M)
        self.assertGreater(len(known), 30)
        self.assertEqual(sorted(told), sorted(known))


class Command(Audited):
    def setUp(self):
        super().setUp()
        self.server.start()
        for _ in range(4):
            self.assertEqual(self.read().status, 200)
        self.server.halt()

    # Rule audit-chained.
    def test_an_untouched_log_is_whole_and_what_was_changed_in_it_is_named(self):
        status, words = self.verify()
        self.assertEqual(status, 0)
        self.assertIn("The audit log is whole", words)
        self.change("UPDATE audit_log SET actor = 'acc_innocent' WHERE number = 2")
        status, words = self.verify()
        self.assertEqual(status, 1)
        self.assertIn("Entry 2 does not bear the seal", words)

    # Rule audit-chained.
    def test_entries_that_were_cut_out_are_named(self):
        self.change("DELETE FROM audit_log WHERE number = 3")
        self.assertEqual(self.verify(), (1, "stagedoor: Entry 3 is missing.\n"))

    # Rule audit-checkpoint.
    def test_a_database_that_was_put_back_is_found_by_a_checkpoint_kept_elsewhere(self):
        kept = self.server.data / "kept.db"
        shutil.copy2(self.server.data / "stagedoor.db", kept)
        self.server.start()
        self.read()
        self.server.halt()
        checkpoint = self.server.must("audit", "checkpoint").strip()
        self.assertEqual(self.verify("--checkpoint", checkpoint)[0], 0)
        for end in ("-wal", "-shm"):
            (self.server.data / ("stagedoor.db" + end)).unlink(missing_ok=True)
        shutil.copy2(kept, self.server.data / "stagedoor.db")
        self.assertEqual(self.verify()[0], 0)
        status, words = self.verify("--checkpoint", checkpoint)
        self.assertEqual(status, 1)
        self.assertIn("before the checkpoint", words)
        self.assertEqual(self.verify("--checkpoint", "7")[0], 1)

    # Rule audit-checkpoint.
    def test_the_json_log_holds_the_newest_checkpoint_after_a_clean_end(self):
        checkpoint = self.server.must("audit", "checkpoint").strip()
        logged = [one for one in self.server.log_entries() if one["event"] == "audit.checkpoint"]
        self.assertEqual(logged[-1]["checkpoint"], checkpoint)

    def test_an_export_holds_what_was_asked_for_oldest_first(self):
        everything = self.exported()
        numbers = [one["number"] for one in everything]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        reads = self.exported("--action", "audit.read")
        self.assertEqual(len(reads), 4)
        self.assertEqual(self.exported("--action", "audit.*"), reads)
        self.assertEqual(self.exported("--actor", reads[0]["actor"], "--action", "audit.read"), reads)
        self.assertEqual(self.exported("--workspace", "ws_none"), [])
        self.assertEqual(self.exported("--until", "1"), [])
        self.assertEqual(self.exported("--since", "1"), everything)
        self.assertEqual(self.exported("--outcome", "refused"), [])
        first = reads[0]
        self.assertRegex(first["actor"], "^key_[0-9a-f]{16}$")
        self.assertEqual(
            (first["outcome"], first["peer"], first["detail"]), ("done", "127.0.0.1", "/v1/audit")
        )

    def test_a_log_without_its_key_does_not_open_until_a_new_key_is_made(self):
        (self.server.data / "audit-key").unlink()
        self.assertIn("Put the key back", self.serve_for_refusal().stderr)
        words = self.server.must("audit", "new-key")
        self.server.start()
        self.assertEqual(self.read().status, 200)
        self.assertEqual(self.server.halt(), 0)
        self.assertEqual(self.verify()[0], 1)
        self.assertEqual(self.verify("--from", words.split()[-1])[0], 0)
        done = self.server.command("audit", "new-key")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing was changed", done.stderr)


class Operator(Audited):
    def changes(self):
        """What the operator's commands change, and each with the words that do it."""
        folder = self.server.data
        return {
            "server_secret.rotate": (
                ("secret", "rotate"),
                lambda: (folder / "server-secret").read_text(),
            ),
            "app.change": (
                ("app", "set", self.server.app_id, "--token-uses", "7"),
                lambda: self.server.must("app", "list", "--json"),
            ),
            "end_user_limit.set": (
                ("app", "limit-end-user", self.server.app_id, "ada", "2/hour"),
                lambda: self.server.must("app", "end-users", self.server.app_id, "--json"),
            ),
            "token_key.export": (
                ("secret", "token-key", str(folder / "token-key")),
                lambda: (folder / "token-key").exists(),
            ),
            "store.back_up": (
                ("backup", str(folder / "copy.db")),
                lambda: (folder / "copy.db").exists(),
            ),
        }

    def test_what_the_operator_does_is_recorded(self):
        for action, (words, state) in self.changes().items():
            before = state()
            self.server.must(*words)
            self.assertNotEqual(state(), before, action)
            recorded = self.exported("--action", action)
            self.assertEqual([one["actor"] for one in recorded], ["operator"], action)
        self.assertEqual(self.verify()[0], 0)

    # Rule audit-fail-closed.
    def test_what_cannot_be_recorded_is_refused_and_nothing_is_changed(self):
        recorded = self.exported("--actor", "operator")
        self.refuse_recording()
        for action, (words, state) in self.changes().items():
            before = state()
            done = self.server.command(*words)
            self.assertEqual(done.returncode, 1, action)
            self.assertEqual(state(), before, action)
        self.assertEqual(self.exported("--actor", "operator"), recorded)


class Api(Audited):
    def setUp(self):
        super().setUp()
        self.server.start()

    def test_200_a_key_reads_what_it_has_done_newest_first_a_page_at_a_time(self):
        for _ in range(5):
            self.read()
        page = self.read("?limit=2").json()
        self.assertEqual(len(page["data"]), 2)
        self.assertEqual({one["action"] for one in page["data"]}, {"audit.read"})
        numbers = []
        query = "?limit=2"
        while True:
            page = self.read(query).json()
            numbers += [one["number"] for one in page["data"]]
            if page["next"] is None:
                break
            query = "?limit=2&cursor=" + page["next"]
        self.assertEqual(numbers, sorted(numbers, reverse=True))
        self.assertEqual(len(set(numbers)), len(numbers))
        self.assertGreaterEqual(len(numbers), 7)
        oldest = self.read("?order=oldest").json()["data"]
        self.assertEqual(oldest[0]["number"], min(numbers))

    # Rule audit-fail-closed.
    def test_200_reading_one_by_one_from_the_oldest_on_ends_though_each_page_is_recorded(self):
        numbers, cursor = [], ""
        for _ in range(100):
            page = self.read(f"?order=oldest&limit=1{cursor}").json()
            numbers += [one["number"] for one in page["data"]]
            if page["next"] is None:
                break
            cursor = "&cursor=" + page["next"]
        else:
            self.fail("it goes on and on")
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertGreater(len(numbers), 1)

    def test_200_a_page_by_a_cursor_that_no_page_has_given_is_recorded_too(self):
        self.read("?cursor=9223372036854775807")
        details = [one["detail"] for one in self.exported("--action", "audit.read")]
        self.assertTrue(any("cursor=9223372036854775807" in each for each in details), details)

    def test_200_as_lines_where_they_are_asked_for(self):
        self.read()
        reply = self.read("?limit=1", Accept="application/x-ndjson")
        self.assertEqual(reply.headers["Content-Type"], "application/x-ndjson")
        lines = reply.body.decode().splitlines()
        self.assertEqual(len(lines), 1)
        self.assertEqual(reply.headers["Stagedoor-Next"], str(json.loads(lines[0])["number"]))

    def test_400_a_parameter_that_is_not_right_is_named(self):
        for query in ("since=yesterday", "until=-1", "limit=0", "limit=1001", "cursor=x",
                      "order=up", "outcome=maybe"):
            reply = self.read("?" + query)
            self.assertEqual(reply.status, 400, query)
            self.assertIn("`" + query.split("=")[0] + "`", reply.json()["detail"])

    def test_401_without_a_credential_and_the_refusal_is_noted(self):
        self.assertEqual(self.server.http("GET", "/v1/audit").status, 401)
        noted = wait_until(lambda: self.exported("--outcome", "refused"), "the refusal")
        self.assertEqual((noted[0]["actor"], noted[0]["action"]), ("", "GET /v1/audit"))
        self.assertEqual(noted[0]["peer"], "127.0.0.1")

    # Rule audit-of-refusals.
    def test_the_use_of_a_frozen_revoked_or_expired_key_is_seen_by_its_owner_alone(self):
        def post(path, body=None):
            return self.server.http("POST", path, self.bearer(), body).json()

        made = {state: post("/v1/keys", {"name": state}) for state in ("frozen", "revoked", "expired")}
        post(f"/v1/keys/{made['frozen']['id']}/freeze")
        post(f"/v1/keys/{made['revoked']['id']}/revoke")
        post(f"/v1/keys/{made['expired']['id']}/rotate", {"grace_seconds": 1})
        answers = {}
        for state, key in made.items():
            use = lambda: self.server.http("GET", "/v1/me", self.bearer(key["api_key"]))
            reply = wait_until(lambda: use().status == 401 and use(), f"the {state} key to end")
            answers[state] = {name: value for name, value in reply.json().items() if name != "request_id"}
            seen = lambda: self.read(f"?actor={key['id']}&action=GET%20/v1/me&outcome=refused").json()["data"]
            (entry, *_) = wait_until(seen, "the refusal")
            self.assertIn(state, entry["detail"])
            self.assertEqual(entry["peer"], "127.0.0.1")
        guess = self.server.http("GET", "/v1/me", self.bearer(made_up_key())).json()
        for answer in answers.values():
            self.assertEqual(answer, {name: value for name, value in guess.items() if name != "request_id"})

    # Rule audit-read-by-its-owners.
    def test_another_apps_key_sees_nothing_of_this_apps(self):
        self.read()
        app = self.server.second_app()
        made = json.loads(self.server.must("key", "create", "--app", app, "--json"))
        seen = wait_until(
            lambda: self.server.http("GET", "/v1/audit?action=audit.read", self.bearer(made["api_key"])).json().get("data"),
            "the new key to be known",
        )
        self.assertEqual({one["actor"] for one in seen}, {made["id"]})

    # Rule audit-read-by-its-owners.
    def test_a_key_sees_the_ends_of_its_apps_sessions_and_the_alarms_of_its_tokens(self):
        app = self.server.second_app()
        others = json.loads(self.server.must("key", "create", "--app", app, "--json"))
        live = json.loads(self.server.must("key", "create", "--live", "--app", self.server.app_id,
                                           "--json"))
        for made in (others, live):
            wait_until(lambda: self.server.mint(made["api_key"]).status == 200, "the key")
        token = self.server.token()
        session = self.server.session(token)
        self.assertEqual(self.server.knock(token).status, 400)
        session.websocket.wire.drop()
        actions = ("session.begin", "session.end", "session_token.suspect_theft")

        def seen(key=None):
            path = "/v1/audit?limit=1000"
            page = self.server.http("GET", path, self.bearer(key)).json()["data"]
            return {one["action"]: one for one in page if one["action"] in actions}

        mine = wait_until(lambda: len(seen()) == 3 and seen(), "the end and the alarm")
        self.assertEqual(mine["session.end"]["actor"], "system")
        self.assertEqual(mine["session.end"]["subject"], mine["session.begin"]["subject"])
        place = f"{self.server.app_id}, test"
        self.assertTrue(mine["session_token.suspect_theft"]["detail"].startswith(place))
        for stranger in (others, live):
            self.assertEqual(seen(stranger["api_key"]), {})
        self.assertEqual(self.verify()[0], 0)

    # Rule audit-read-by-its-owners.
    def test_a_test_key_does_not_see_that_all_live_keys_were_rotated(self):
        self.server.must("key", "create", "--live", "--name", "live", "--json")
        for environment in ("live", "test"):
            words = ("key", "rotate-all", "--app", self.server.app_id, "--grace", "600")
            self.server.must(*words, *(["--live"] if environment == "live" else []))
        rotated = self.read("?action=app.rotate_keys").json()["data"]
        self.assertEqual([one["detail"].split()[0] for one in rotated], ["test"])
        self.assertEqual(len(self.exported("--action", "app.rotate_keys")), 2)

    # Rule audit-fail-closed.
    def test_503_reading_that_cannot_be_recorded_is_refused(self):
        self.refuse_recording()
        reply = self.read()
        self.assertEqual(reply.status, 503)
        self.assertNotIn("data", reply.json())

    # Rule audit-of-refusals.
    def test_a_flood_of_refusals_is_told_and_does_not_fill_the_log(self):
        for _ in range(300):
            self.server.http("GET", "/v1/audit")
        self.assertEqual(self.server.halt(), 0)
        refused = self.exported("--outcome", "refused")
        told = sum(
            json.loads(one["detail"])["count"] if one["action"] == "audit.fold" else 1
            for one in refused
        )
        self.assertEqual(told, 300)
        self.assertLess(len(refused), 200)
        self.assertEqual(self.verify()[0], 0)

    # Rule audit-of-refusals.
    def test_what_the_motion_server_refuses_is_noted_for_whoever_minted_the_token(self):
        token = self.server.token()
        self.assertEqual(self.server.knock(token, avatar="ava_unknown").status, 404)
        self.assertEqual(self.server.knock("e30.e30.e30").status, 400)
        self.server.halt()
        of_socket = [one for one in self.exported("--outcome", "refused")
                     if one["action"] == "GET /v2/driveningress/websocket"]
        self.assertEqual(len(of_socket), 2)
        self.assertTrue(of_socket[0]["actor"].startswith("key_"))
        self.assertEqual(of_socket[1]["actor"], "")

    def test_no_credential_is_in_the_log(self):
        self.server.http("GET", "/v1/audit", self.bearer(WRONG_KEY))
        self.server.http("GET", "/v1/audit?cursor=9&action=" + self.server.api_key, self.bearer())
        self.read("?action=" + self.server.api_key)
        self.server.halt()
        text = json.dumps(self.exported())
        self.assertNotIn(self.server.api_key, text)
        self.assertNotIn(WRONG_KEY, text)


class Killed(unittest.TestCase):
    # Rule audit-chained.
    def test_the_chain_holds_whenever_the_process_is_killed_and_while_commands_write(self):
        server = Stage()
        server.init()
        self.addCleanup(server.close)
        bearer = {"Authorization": f"Bearer {server.api_key}"}
        for round_ in range(5):
            server.start()
            for _ in range(5 + round_):
                self.assertEqual(server.http("GET", "/v1/audit?limit=1", bearer).status, 200)
            server.must("audit", "verify")
            server.halt(signal.SIGKILL)
            checkpoint = server.must("audit", "checkpoint").strip()
            self.assertGreaterEqual(int(checkpoint.split(":")[0]), 5 + round_)
            server.must("audit", "verify", "--checkpoint", checkpoint)


if __name__ == "__main__":
    main()
