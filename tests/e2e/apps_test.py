"""Apps over HTTP: who sees, makes and changes them, and the limits that they bring along.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import sqlite3
import time
import unittest

from cases import Stage, main, wait_until
from motion_messages import Error
from raw_websocket import Refusal

PASSWORD = "correct horse"
WIDE = '"100000/min burst 100000"'
SETTINGS = ('[server]\ntrusted_proxies = ["127.0.0.0/8"]\n[limits]\n' + "".join(
    f"{name} = {WIDE}\n" for name in (
        "api_key_free", "api_key_pro", "person", "stranger", "password", "login",
        "account_creation")))


class AppsCase(unittest.TestCase):
    settings = SETTINGS

    def setUp(self):
        self.server = Stage(self.settings).__enter__()
        self.addCleanup(self.server.close)
        self.app = f"/v1/apps/{self.server.app_id}"

    def call(self, method, path, credential=None, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {credential or self.server.api_key}"
        return self.server.http(method, path, headers, body)

    def person(self, role):
        """A member of the workspace with this role: their access token."""
        who = {"email": f"{role}@example.com", "password": PASSWORD}
        invited = json.loads(self.server.must(
            "member", "invite", "--email", who["email"], "--role", role, "--json"))
        self.server.http("POST", "/v1/accounts", body=who | {"invitation_code": invited["code"]})
        return self.server.http("POST", "/v1/login", body=who).json()["access_token"]

    def key(self, *words):
        made = self.server.must("key", "create", "--name", "made", "--json", *words)
        return json.loads(made)["api_key"]

    def knows_key(self, key):
        wait_until(lambda: self.call("GET", "/v1/me", key).status == 200, "the server to know a key")
        return key


class Apps(AppsCase):
    # Rule app-changed-by-its-owners.
    def test_a_person_makes_an_app_and_keys_for_it_and_it_is_recorded(self):
        admin = self.person("admin")
        made = self.call("POST", "/v1/apps", admin, {"name": "Second", "sessions_max": 5})
        self.assertEqual(made.status, 201, made.body)
        app = made.json()
        self.assertEqual((app["name"], app["sessions_max"], app["rate_limit"]), ("Second", 5, None))
        listed = self.call("GET", "/v1/apps", admin).json()
        self.assertEqual({one["id"] for one in listed["data"]}, {self.server.app_id, app["id"]})
        self.assertIsNone(listed["next"])
        key = self.call("POST", "/v1/keys", admin, {
            "name": "k", "app_id": app["id"], "environment": "test"}).json()["api_key"]
        self.assertEqual(self.call("GET", f"/v1/apps/{app['id']}", key).json(), app)
        (entry,) = self.server.audited("app.create")
        self.assertEqual(entry["subject"], app["id"])
        self.assertTrue(entry["actor"].startswith("acc_"))
        self.assertEqual(entry["detail"], "name=Second, sessions_max=5")

    # Rule api-key-never-stronger.
    def test_an_admin_and_an_owner_give_a_key_its_tier_and_limit_and_a_developer_makes_none(self):
        for role, status in (("admin", 201), ("owner", 201), ("developer", 403), ("viewer", 403)):
            person = self.person(role)
            for term in ({"tier": "pro"}, {"rate_limit": "100/min burst 200"}):
                wish = {"name": "k", "app_id": self.server.app_id, "environment": "test"} | term
                made = self.call("POST", "/v1/keys", person, wish)
                self.assertEqual(made.status, status, made.body)
                if status == 201:
                    self.assertEqual(made.json() | term, made.json())

    def test_pages_follow_each_other(self):
        admin = self.person("admin")
        for number in range(4):
            self.call("POST", "/v1/apps", admin, {"name": f"n{number}"})
        seen, cursor = [], ""
        while cursor is not None:
            page = self.call("GET", f"/v1/apps?limit=2&cursor={cursor}", admin).json()
            seen += [app["id"] for app in page["data"]]
            cursor = page["next"]
        self.assertEqual(len(seen), 5)
        self.assertEqual(seen, sorted(set(seen)))

    # Rule app-changed-by-its-owners.
    def test_a_change_holds_for_tokens_minted_from_then_on_and_is_recorded(self):
        admin = self.person("admin")
        changed = self.call("PATCH", self.app, admin, {
            "name": "One", "token_uses_max": 3, "length_max_seconds": 60, "idle_max_seconds": 20,
            "sessions_max": 2, "rate_limit": "500/min", "end_user_limit": "9/hour burst 3"})
        self.assertEqual(changed.status, 200, changed.body)
        minted = self.call("POST", "/v1/session-tokens").json()
        self.assertEqual((minted["uses_max"], minted["leash"]["length_max_seconds"]), (3, 60))
        app = self.call("GET", self.app, admin).json()
        self.assertEqual(app, changed.json())
        self.assertEqual((app["rate_limit"], app["end_user_limit"]), ("500/min", "9/hour burst 3"))
        self.call("PATCH", self.app, admin, {"monthly_minutes": 7})
        again = self.call("PATCH", self.app, admin, {"rate_limit": None}).json()
        self.assertEqual((again["rate_limit"], again["sessions_max"], again["monthly_minutes"]),
                         (None, 2, 7))
        self.server.must("app", "set", self.server.app_id, "--end-user-limit", "none")
        wait_until(lambda: self.call("GET", self.app, admin).json()["end_user_limit"] is None,
                   "the server to know what the command changed")
        again = self.call("PATCH", self.app, admin, {"monthly_minutes": None}).json()
        self.assertIsNone(again["monthly_minutes"])
        self.call("PATCH", self.app, admin, {"rate_limit": None, "end_user_limit": "9/hour burst 3"})
        self.assertEqual(self.server.audited("app.change")[-1]["detail"],
                         "rate_limit=none, end_user_limit=9/hour burst 3")
        listed = json.loads(self.server.must("app", "list", "--json"))
        self.assertEqual((listed["name"], listed["end_user_limit"]), ("One", "9/hour burst 3"))

    def test_409_for_one_more_than_a_workspace_may_have(self):
        admin = self.person("admin")
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store, store:
            store.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) "
                "INSERT INTO apps (id, workspace_id, name, token_uses_max, length_max_seconds, "
                "idle_max_seconds, sessions_max, created_at) "
                "SELECT 'app_' || i, ?, 'many', 1, 60, 60, 1, 0 FROM n",
                (self.server.initialised["workspace_id"],))
        refused = self.call("POST", "/v1/apps", admin, {"name": "one more"})
        self.assertEqual(refused.status, 409, refused.body)
        self.assertEqual(self.server.audited("app.create"), [])

    # Rule app-changed-by-its-owners.
    def test_who_may_not_is_refused(self):
        for role in ("viewer", "developer"):
            somebody = self.person(role)
            self.assertEqual(self.call("GET", self.app, somebody).status, 200)
            self.assertEqual(self.call("PATCH", self.app, somebody, {"name": "x"}).status, 403)
            self.assertEqual(self.call("POST", "/v1/apps", somebody, {"name": "x"}).status, 403)

    # Rule app-changed-by-its-owners.
    def test_a_key_needs_the_scope_by_name_and_only_narrows(self):
        self.assertEqual(self.call("PATCH", self.app, body={"sessions_max": 1}).status, 403)
        key = self.knows_key(self.key("--live", "--scope", "apps:*"))
        narrowed = self.call("PATCH", self.app, key, {"sessions_max": 9, "rate_limit": "50/min"})
        self.assertEqual(narrowed.status, 200, narrowed.body)
        for wish in ({"sessions_max": 10}, {"rate_limit": None}, {"rate_limit": "51/min"}):
            refused = self.call("PATCH", self.app, key, wish)
            self.assertEqual(refused.status, 403, wish)
            self.assertIn(next(iter(wish)), refused.json()["detail"])
        self.assertEqual(self.call("POST", "/v1/apps", key, {"name": "x"}).status, 403)
        test_key = self.knows_key(self.key("--scope", "apps:write"))
        self.assertEqual(self.call("PATCH", self.app, test_key, {"sessions_max": 1}).status, 403)

    # Rule app-changed-by-its-owners.
    def test_404_for_an_app_of_others_is_that_for_none(self):
        second = self.server.second_app()
        nothing = self.call("GET", "/v1/apps/app_none")
        self.assertEqual(nothing.status, 404)
        others = self.call("GET", f"/v1/apps/{second}")
        self.assertEqual((others.status, others.json()), (404, nothing.json()))
        self.assertEqual([app["id"] for app in self.call("GET", "/v1/apps").json()["data"]],
                         [self.server.app_id])

    def test_what_is_not_right_is_named(self):
        admin = self.person("admin")
        for wish in ({"sessions_max": 0}, {"rate_limit": "often"}, {"end_user_limit": 5},
                     {"name": ""}, {"no_such": 1}):
            refused = self.call("PATCH", self.app, admin, wish)
            self.assertEqual(refused.status, 400, wish)
            self.assertIn(next(iter(wish)), refused.json()["detail"])
        self.assertEqual(self.call("POST", "/v1/apps", admin, {}).status, 400)


class LimitsCase(AppsCase):
    def mint(self, key=None, network="203.0.113.1", **body):
        return self.call("POST", "/v1/session-tokens", key, body, X_Forwarded_For=network)

    def setUp(self):
        super().setUp()
        self.admin = self.person("admin")

    def set_limits(self, **limits):
        changed = self.call("PATCH", self.app, self.admin, limits)
        self.assertEqual(changed.status, 200, changed.body)


class Limits(LimitsCase):
    # Rule rate-limit-of-app.
    def test_all_keys_of_an_app_share_its_limit_from_wherever_they_call(self):
        other = self.knows_key(self.key())
        self.set_limits(rate_limit="3/hour")
        statuses = [self.mint(network="203.0.113.1").status, self.mint(other, "203.0.113.2").status,
                    self.mint(network="203.0.113.3").status]
        self.assertEqual(statuses, [201] * 3)
        refused = self.mint(other, "203.0.113.4")
        self.assertEqual(refused.status, 429)
        self.assertIn("limit of the app", refused.json()["detail"])
        self.assertTrue(refused.headers["RateLimit-Policy"].startswith('"app";q=3;'))
        self.assertGreater(int(refused.headers["Retry-After"]), 1000)
        metrics = self.server.http("GET", "/metrics").body.decode()
        self.assertIn('stagedoor_rate_limit_calls_total{kind="app",outcome="refused"} 1', metrics)

    # Rule rate-limit-of-end-user.
    def test_one_end_user_who_mints_too_often_leaves_the_others_alone(self):
        self.set_limits(end_user_limit="2/hour")
        statuses = [self.mint(end_user_id="ada").status for _ in range(3)]
        self.assertEqual(statuses, [201, 201, 429])
        refused = self.mint(end_user_id="ada")
        self.assertIn("end user", refused.json()["detail"])
        self.assertGreater(int(refused.headers["Retry-After"]), 1000)
        self.assertEqual(self.mint(end_user_id="bob").status, 201)
        self.assertEqual(self.mint().status, 201, "nobody is named")

    # Rule rate-limit-of-end-user.
    def test_an_end_user_opens_no_more_sessions_and_the_refused_token_is_not_spent(self):
        self.set_limits(end_user_limit="1/hour")
        self.server.limits("--token-uses", "3")
        token = self.mint(end_user_id="ada").json()["session_token"]
        self.assertTrue(self.server.is_admitted(token))
        refused = self.server.knock(token)
        self.assertIsInstance(refused, Refusal)
        self.assertEqual(refused.status, 429)
        self.assertIn(b"end user", refused.body)
        self.assertGreater(int(refused.headers["retry-after"]), 1000)
        self.set_limits(end_user_limit="unlimited")
        self.assertTrue(self.server.is_admitted(token))

    # Rule rate-limit-of-end-user.
    def test_a_person_who_names_no_end_user_counts_as_one(self):
        self.set_limits(end_user_limit="1/hour")
        developer = self.person("developer")
        wish = {"app_id": self.server.app_id, "environment": "test"}
        self.assertEqual(self.mint(developer, **wish).status, 201)
        self.assertEqual(self.mint(developer, **wish).status, 429)
        self.assertEqual(self.mint(developer, end_user_id="ada", **wish).status, 201)


    # Rule audit-of-refusals.
    def test_what_an_end_users_limit_refuses_is_noted_with_the_callers_address_and_the_request(self):
        self.set_limits(end_user_limit="1/hour")
        self.server.limits("--token-uses", "3")
        token = self.mint(end_user_id="ada").json()["session_token"]
        refused = self.mint(end_user_id="ada")
        self.assertTrue(self.server.is_admitted(token))
        self.assertEqual(self.server.knock(token).status, 429)
        self.server.halt()
        (minting,) = self.server.audited("POST /v1/session-tokens")
        self.assertEqual(minting["request_id"], refused.headers["X-Request-Id"])
        self.assertEqual(minting["peer"], "203.0.113.1")
        (opening,) = self.server.audited("GET /v2/driveningress/websocket")
        self.assertTrue(opening["peer"] and opening["request_id"])
        for entry in (minting, opening):
            self.assertEqual(entry["workspace_id"], self.server.initialised["workspace_id"])
            self.assertTrue(entry["actor"].startswith("key_"))
            self.assertEqual(entry["outcome"], 1)
            self.assertIn("end-user", entry["detail"])
            self.assertIn("ada", entry["detail"])


class EndUsersOfTheSettings(LimitsCase):
    settings = SETTINGS + 'end_user = "1/hour"\n'

    # Rule rate-limit-of-end-user.
    def test_the_settings_limit_holds_where_an_app_says_nothing(self):
        self.assertEqual([self.mint(end_user_id="ada").status for _ in range(2)], [201, 429])
        self.set_limits(end_user_limit="2/hour")
        statuses = [self.mint(end_user_id="bob").status for _ in range(3)]
        self.assertEqual(statuses, [201, 201, 429])


class MonthlyMinutes(AppsCase):
    def setUp(self):
        super().setUp()
        self.live_key = self.knows_key(self.key("--live"))

    def have_used(self, seconds):
        """Live sessions of this month that have lasted so long, before the server starts again."""
        self.server.halt()
        began = int(time.time() * 1000)
        row = {"id": f"before_{seconds}", "token_id": b"t", "app_id": self.server.app_id,
               "workspace_id": self.server.initialised["workspace_id"], "environment": 0,
               "api_key_id": 0, "end_user_id": "", "avatar_id": "", "dialect": "spatius",
               "peer": "", "began_at": began, "last_seen_at": began,
               "ended_at": began + seconds * 1000, "end_reason": "client"}
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store, store:
            store.execute(f"INSERT INTO sessions ({', '.join(row)}) VALUES "
                          f"({', '.join('?' * len(row))})", tuple(row.values()))
        self.server.start()

    def minutes(self, limit):
        self.server.must("app", "set", self.server.app_id, "--monthly-minutes", str(limit))
        wanted = None if limit == "none" else limit
        wait_until(lambda: self.this_app()["monthly_minutes"] == wanted, "the limit to be known")

    def this_app(self):
        return self.call("GET", self.app).json()

    # Rule app-monthly-minutes.
    def test_each_dialect_says_in_its_own_words_when_they_are_used_up_and_no_token_is_spent(self):
        token = self.server.token(self.live_key)
        self.have_used(3 * 60)
        self.minutes(3)
        month = self.this_app()["this_month"]
        self.assertEqual((month["live_seconds_used"], month["minutes_used"], month["minutes_left"]),
                         (180, 3, 0))
        ours = self.call("POST", "/v1/session-tokens", self.live_key)
        self.assertEqual((ours.status, ours.json()["type"]), (402, "/problems/payment-required"))
        (error,) = self.server.mint(self.live_key).json()["errors"]
        self.assertEqual((error["status"], error["code"]), (402, "INSUFFICIENT_BALANCE"))
        persona = {"personaConfig": {"personaId": self.live_persona()}}
        anam = self.call("POST", "/v1/auth/session-token", self.live_key, persona)
        self.assertEqual((anam.status, anam.json()["error"]), (429, "Spend cap reached"))
        anam = self.call("POST", "/v1/engine/session", self.live_key, persona)
        self.assertEqual((anam.status, anam.json()["error"]), (429, "Spend cap reached"))
        refused = self.server.knock(token)
        self.assertIsInstance(refused, Refusal)
        self.assertEqual(refused.status, 402)
        said = json.loads(refused.body)["message"]
        self.assertIn("Session denied", said)
        self.assertIn("credits exhausted", said)
        self.assertTrue(self.server.is_admitted(self.server.token()), "tests cost nothing")
        self.minutes(4)
        self.assertTrue(self.server.is_admitted(token))

    # Rule audit-of-refusals.
    def test_what_used_up_minutes_refuse_is_noted_with_the_caller_and_the_request(self):
        persona = {"personaConfig": {"personaId": self.live_persona()}}
        self.have_used(60)
        self.minutes(1)
        replies = {"POST /v1/session-tokens": self.call("POST", "/v1/session-tokens", self.live_key),
                   "POST /v1/console/session-tokens": self.server.mint(self.live_key)}
        for path in ("/v1/auth/session-token", "/v1/engine/session"):
            replies["POST " + path] = self.call("POST", path, self.live_key, persona)
        self.server.halt()
        for action, reply in replies.items():
            is_anam = "auth" in action or "engine" in action
            self.assertEqual(reply.status, 429 if is_anam else 402, reply.body)
            (entry,) = self.server.audited(action)
            self.assertEqual((entry["outcome"], entry["peer"]), (1, "127.0.0.1"))
            self.assertEqual(entry["request_id"], reply.headers["X-Request-Id"])
            self.assertEqual(entry["workspace_id"], self.server.initialised["workspace_id"])
            self.assertTrue(entry["actor"].startswith("key_"))
            self.assertIn("minutes", entry["detail"])

    def live_persona(self):
        body = {"name": "Ada", "avatarId": self.server.avatar_id, "systemPrompt": "Be Ada."}
        made = self.call("POST", "/v1/personas", self.live_key, body)
        self.assertEqual(made.status, 201, made.body)
        return made.json()["id"]

    # Rule app-monthly-minutes.
    def test_sessions_that_run_are_told_and_end_when_the_minutes_run_out(self):
        self.have_used(58)
        running = self.server.session(self.server.token(self.live_key))
        of_a_test = self.server.session()
        self.minutes(1)
        said = running.receive()
        self.assertIsInstance(said, Error)
        self.assertEqual(said.code, 4001)
        self.assertIn("credits exhausted", said.text)
        self.assertEqual(running.websocket.wait_until_closed().code, 4001)
        self.assertTrue(of_a_test.still_serves())
        of_a_test.websocket.wire.drop()
        self.server.wait_for_log("app.minutes_used_up", live_sessions_ended=1)
        ended = wait_until(
            lambda: [e for e in self.server.audited("session.end")
                     if e["subject"] == running.connection_id], "the ledger to hear of the end")
        self.assertTrue(ended[0]["detail"].startswith("minutes_used_up, "))
        self.assertEqual(self.this_app()["this_month"]["minutes_left"], 0)

    # Rule app-monthly-minutes.
    def test_what_was_used_is_known_after_kill_9(self):
        self.have_used(60)
        session = self.server.session(self.server.token(self.live_key))
        self.server.restart(9)
        session.websocket.wire.drop()
        self.assertGreaterEqual(self.this_app()["this_month"]["live_seconds_used"], 60)
        self.assertIsNone(self.this_app()["this_month"]["minutes_left"])


if __name__ == "__main__":
    main()
