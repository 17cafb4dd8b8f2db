"""Limits of single end users: who gives and takes them, and that they hold wherever an end user is
counted.

SPDX-License-Identifier: Apache-2.0
"""

import json
import urllib.parse

from apps_test import SETTINGS, LimitsCase
from cases import bearer, main, wait_until
from raw_websocket import Refusal


class EndUsersCase(LimitsCase):
    def path(self, end_user_id, app_id=None):
        quoted = urllib.parse.quote(end_user_id, safe="")
        return f"/v1/apps/{app_id or self.server.app_id}/end-users/{quoted}"

    def limit(self, end_user_id, limit, credential=None):
        return self.call("PUT", self.path(end_user_id), credential or self.admin,
                         {"rate_limit": limit})

    def limited(self, end_user_id, limit):
        done = self.limit(end_user_id, limit)
        self.assertEqual(done.status, 200, done.body)
        return done.json()

    def lift(self, end_user_id, credential=None):
        return self.call("DELETE", self.path(end_user_id), credential or self.admin)

    def applied(self, end_user_id, credential=None):
        told = self.call("GET", self.path(end_user_id), credential)
        self.assertEqual(told.status, 200, told.body)
        return told.json()

    def listed(self, query=""):
        told = self.call("GET", f"{self.app}/end-users{query}")
        self.assertEqual(told.status, 200, told.body)
        return told.json()

    def statuses(self, end_user_id, count):
        return [self.mint(end_user_id=end_user_id).status for _ in range(count)]


class Holding(EndUsersCase):
    # Rule rate-limit-of-one-end-user.
    def test_one_with_a_lower_limit_is_refused_where_another_is_not(self):
        self.set_limits(end_user_limit="3/hour")
        self.limited("ada", "1/hour")
        self.assertEqual(self.statuses("ada", 2), [201, 429])
        self.assertEqual(self.statuses("bob", 4), [201, 201, 201, 429])
        refused = self.mint(end_user_id="ada")
        self.assertIn("end user", refused.json()["detail"])
        self.assertGreater(int(refused.headers["Retry-After"]), 1000)

    # Rule rate-limit-of-one-end-user.
    def test_one_with_a_higher_limit_passes_where_the_apps_would_refuse(self):
        self.set_limits(end_user_limit="1/hour")
        self.limited("ada", "3/hour")
        self.limited("eve", "unlimited")
        self.assertEqual(self.statuses("ada", 4), [201, 201, 201, 429])
        self.assertEqual(self.statuses("eve", 10), [201] * 10)
        self.assertEqual(self.statuses("bob", 2), [201, 429])

    # Rule rate-limit-of-one-end-user.
    def test_it_holds_where_neither_app_nor_settings_limit_anybody(self):
        self.limited("ada", "1/hour")
        self.assertEqual(self.statuses("ada", 2), [201, 429])
        self.assertEqual(self.statuses("bob", 5), [201] * 5)

    # Rule rate-limit-of-one-end-user.
    def test_it_holds_for_opening_sessions_and_the_refused_token_is_not_spent(self):
        self.limited("ada", "1/hour")
        self.server.limits("--token-uses", "3")
        of_ada = self.mint(end_user_id="ada").json()["session_token"]
        of_bob = self.mint(end_user_id="bob").json()["session_token"]
        self.assertTrue(self.server.is_admitted(of_ada))
        refused = self.server.knock(of_ada)
        self.assertIsInstance(refused, Refusal)
        self.assertEqual(refused.status, 429)
        self.assertIn(b"end user", refused.body)
        self.assertGreater(int(refused.headers["retry-after"]), 1000)
        for _ in range(3):
            self.assertTrue(self.server.is_admitted(of_bob))
        self.assertEqual(self.lift("ada").status, 204)
        self.assertTrue(self.server.is_admitted(of_ada), "at once, with the same token")

    # Rule rate-limit-of-one-end-user.
    def test_it_holds_for_a_live_face_in_the_anam_dialect(self):
        self.limited("ada", "1/hour")
        self.server.limits("--token-uses", "2")
        token = self.mint(
            end_user_id="ada", persona_id=self.server.initialised["persona_id"]
        ).json()["session_token"]
        start = lambda client: self.server.http(
            "POST", "/v1/engine/session", bearer(token) | {"User-Agent": client},
            {"clientMetadata": {"client": "js-sdk", "version": "4.27.0"}})
        self.assertEqual(start("one").status, 200)
        self.assertEqual(start("one").status, 200, "rule session-token-retry-takes-nothing")
        refused = start("two")
        self.assertEqual((refused.status, refused.json()["error"]), (429, "Too Many Requests"))
        self.assertGreater(int(refused.headers["Retry-After"]), 1000)

    # Rule rate-limit-of-one-end-user.
    def test_a_share_link_and_a_person_who_name_nobody_are_limited_by_their_own_ids(self):
        link = self.server.http("POST", "/v1/share-links", bearer(self.server.api_key), {
            "personaId": self.server.initialised["persona_id"]}).json()
        visit = lambda: self.server.http(
            "POST", "/v1/auth/share-link", body={"shareToken": link["token"]})
        self.limited(f"share_link:{link['id']}", "1/hour")
        self.assertEqual(visit().status, 200)
        self.assertEqual(visit().status, 404, "rule share-link-tells-nothing")
        self.assertEqual(self.lift(f"share_link:{link['id']}").status, 204)
        self.assertEqual(visit().status, 200)
        developer = self.person("developer")
        me = self.call("GET", "/v1/me", developer).json()["id"]
        self.limited(me, "1/hour")
        wish = {"app_id": self.server.app_id, "environment": "test"}
        self.assertEqual([self.mint(developer, **wish).status for _ in range(2)], [201, 429])
        self.assertEqual(self.mint(developer, end_user_id="ada", **wish).status, 201)

    # Rule rate-limit-of-one-end-user.
    def test_a_change_holds_at_once_up_and_down_and_after_kill_9(self):
        self.limited("ada", "1/hour")
        self.assertEqual(self.statuses("ada", 2), [201, 429])
        self.limited("ada", "100/hour burst 200")
        self.assertEqual(self.statuses("ada", 5), [201] * 5)
        self.limited("ada", "2/hour")
        self.server.restart(9)
        self.assertEqual(self.applied("ada")["rate_limit"], "2/hour")
        self.assertEqual(self.statuses("ada", 3), [201, 201, 429])

    # Rule rate-limit-of-one-end-user.
    def test_it_is_its_apps_alone(self):
        self.limited("ada", "1/hour")
        second = self.server.second_app()
        wait_until(lambda: self.call("GET", f"/v1/apps/{second}", self.admin).status == 200,
                   "the second app")
        wish = {"app_id": second, "environment": "test", "end_user_id": "ada"}
        self.assertEqual([self.mint(self.admin, **wish).status for _ in range(3)], [201] * 3)
        self.assertEqual(self.call("GET", self.path("ada", second), self.admin).json()["rate_limit"],
                         None)


class Keeping(EndUsersCase):
    def test_what_holds_is_told_with_who_set_it(self):
        self.assertEqual(self.applied("ada"), {
            "end_user_id": "ada", "rate_limit": None,
            "applied": {"rate_limit": "unlimited", "from": "settings"}})
        self.set_limits(end_user_limit="9/hour burst 3")
        self.assertEqual(self.applied("ada")["applied"],
                         {"rate_limit": "9/hour burst 3", "from": "app"})
        told = self.limited("ada", "60/60min burst 5")
        self.assertEqual(told, {
            "end_user_id": "ada", "rate_limit": "60/hour burst 5",
            "applied": {"rate_limit": "60/hour burst 5", "from": "end_user"}})
        self.assertEqual(self.applied("ada"), told)
        self.assertEqual(self.applied("bob")["applied"]["from"], "app")
        self.assertEqual(self.lift("ada").status, 204)
        self.assertEqual(self.applied("ada")["applied"]["from"], "app")
        self.assertEqual(self.lift("ada").status, 404, "there is none any more")

    def test_an_end_users_id_may_be_any_that_tokens_are_minted_for(self):
        for end_user_id in ("anna+x@example.org", "a/b", "../keys", "100%", "a b?c#d", "Zoë", "%2F",
                            "x" * 256, "ü" * 128, "\u0001"):
            told = self.limited(end_user_id, "1/hour")
            self.assertEqual(told["end_user_id"], end_user_id)
            self.assertEqual(self.statuses(end_user_id, 2), [201, 429], end_user_id)
            self.assertEqual(self.applied(end_user_id)["rate_limit"], "1/hour")
            self.assertEqual([one["end_user_id"] for one in self.listed()["data"]], [end_user_id])
            self.assertEqual(self.lift(end_user_id).status, 204)
        self.assertEqual(self.listed(), {"data": [], "next": None})

    def test_400_for_what_is_no_id_and_what_is_no_limit(self):
        for path in ("x" * 257, "%FF", "%ED%A0%80", "Zo%C3", "%", "a%2", "%zz"):
            for method, body in (("GET", None), ("PUT", {"rate_limit": "1/hour"}),
                                 ("DELETE", None)):
                refused = self.call(method, f"{self.app}/end-users/{path}", self.admin, body)
                self.assertEqual(refused.status, 400, (method, path, refused.body))
                is_broken = path in ("%", "a%2", "%zz")
                self.assertIn("target" if is_broken else "end_user_id", refused.json()["detail"])
        for wish in ({}, {"rate_limit": None}, {"rate_limit": "often"}, {"rate_limit": 5},
                     {"rate_limit": "1/min", "burst": 5}):
            refused = self.call("PUT", self.path("ada"), self.admin, wish)
            self.assertEqual(refused.status, 400, wish)
            self.assertIn("burst" if "burst" in wish else "rate_limit", refused.json()["detail"])
        self.assertEqual(self.call("PUT", f"{self.app}/end-users/", self.admin, {}).status, 404)
        self.assertEqual(self.listed()["data"], [])

    def test_pages_follow_each_other_by_id(self):
        ids = ["e/5", "a@x", "d", "c&limit=1", "b"]
        for end_user_id in ids:
            self.limited(end_user_id, "1/hour")
        seen, cursor = [], ""
        while cursor is not None:
            page = self.listed(f"?limit=2&cursor={urllib.parse.quote(cursor, safe='')}")
            self.assertLessEqual(len(page["data"]), 2)
            seen += [(one["end_user_id"], one["rate_limit"]) for one in page["data"]]
            cursor = page["next"]
        self.assertEqual(seen, [(end_user_id, "1/hour") for end_user_id in sorted(ids)])

    # Rule app-changed-by-its-owners.
    def test_the_audit_log_tells_who_changed_whose(self):
        self.limited("ada", "2/hour")
        self.lift("ada")
        (given,) = self.server.audited("end_user_limit.set")
        (taken,) = self.server.audited("end_user_limit.remove")
        self.assertEqual(given["detail"], "end_user_id=ada, rate_limit=2/hour")
        self.assertEqual(taken["detail"], "end_user_id=ada, rate_limit=none")
        for entry in (given, taken):
            self.assertEqual((entry["subject"], entry["outcome"], entry["peer"]),
                             (self.server.app_id, 0, "127.0.0.1"))
            self.assertTrue(entry["actor"].startswith("acc_"))
            self.assertTrue(entry["request_id"])
            self.assertEqual(entry["workspace_id"], self.server.initialised["workspace_id"])

    # Rule rate-limit-of-one-end-user.
    def test_a_key_needs_the_scope_by_name_and_only_narrows(self):
        self.set_limits(end_user_limit="10/hour")
        self.limited("eve", "20/hour")
        self.assertEqual(self.limit("ada", "1/hour", self.server.api_key).status, 403)
        key = self.knows_key(self.key("--live", "--scope", "apps:*"))
        self.assertEqual(self.limit("ada", "5/hour", key).status, 200)
        for who, limit in (("ada", "6/hour"), ("ada", "unlimited"), ("bob", "11/hour"),
                           ("bob", "10/hour burst 11"), ("eve", "21/hour")):
            refused = self.limit(who, limit, key)
            self.assertEqual(refused.status, 403, (who, limit))
            self.assertIn("rate_limit", refused.json()["detail"])
        self.assertEqual(self.lift("ada", key).status, 403)
        self.assertEqual(self.applied("ada")["rate_limit"], "5/hour")
        self.assertEqual(self.lift("eve", key).status, 204, "the app's is stricter")
        self.assertEqual(self.limit("ada", "4/hour", key).status, 200)
        test_key = self.knows_key(self.key("--scope", "apps:write"))
        self.assertEqual(self.limit("ada", "1/hour", test_key).status, 403)
        self.assertEqual(self.lift("ada", test_key).status, 403)

    # Rule app-changed-by-its-owners.
    def test_who_may_not_is_refused_and_an_app_of_others_is_404_as_none_is(self):
        for role in ("viewer", "developer"):
            somebody = self.person(role)
            self.assertEqual(self.applied("ada", somebody)["rate_limit"], None)
            self.assertEqual(self.limit("ada", "1/hour", somebody).status, 403)
            self.assertEqual(self.lift("ada", somebody).status, 403)
        second = self.server.second_app()
        key = self.knows_key(self.key("--live", "--scope", "apps:*", "--app", self.server.app_id))
        for method, body in (("GET", None), ("PUT", {"rate_limit": "1/hour"}), ("DELETE", None)):
            told = [self.call(method, self.path("ada", app), key, body)
                    for app in (second, "app_none")]
            self.assertEqual([one.status for one in told], [404, 404], method)
            self.assertEqual(told[0].json(), told[1].json(), method)
        self.assertEqual(self.call("GET", f"/v1/apps/{second}/end-users", key).status, 404)


class Commands(EndUsersCase):
    # Rule rate-limit-of-one-end-user.
    def test_what_the_operator_gives_and_takes_reaches_a_running_server(self):
        limit = lambda *words: self.server.must("app", "limit-end-user", self.server.app_id, *words)
        limit("ada/1", "1/hour")
        wait_until(lambda: self.applied("ada/1")["rate_limit"] == "1/hour", "the server to know")
        self.assertEqual(self.statuses("ada/1", 2), [201, 429])
        listed = self.server.must("app", "end-users", self.server.app_id, "--json")
        self.assertEqual(json.loads(listed), {"end_user_id": "ada/1", "rate_limit": "1/hour"})
        limit("ada/1", "none")
        wait_until(lambda: self.applied("ada/1")["rate_limit"] is None, "the server to know")
        self.assertEqual(self.statuses("ada/1", 3), [201] * 3)
        self.assertEqual(self.server.must("app", "end-users", self.server.app_id), "")
        for action in ("end_user_limit.set", "end_user_limit.remove"):
            (entry,) = self.server.audited(action)
            self.assertEqual((entry["actor"], entry["workspace_id"]),
                             ("operator", self.server.initialised["workspace_id"]))

    def test_what_is_wrong_is_refused_and_changes_nothing(self):
        app = self.server.app_id
        for words in ((app, "ada", "often"), (app, "ada", "none"), ("app_none", "ada", "1/hour"),
                      (app, "", "1/hour"), (app, "x" * 257, "1/hour")):
            done = self.server.command("app", "limit-end-user", *words)
            self.assertEqual(done.returncode, 1, words)
            self.assertTrue(done.stderr.startswith("stagedoor: "), done.stderr)
        self.assertEqual(self.server.command("app", "end-users", "app_none").returncode, 1)
        self.assertEqual(self.listed()["data"], [])
        self.server.must("app", "limit-end-user", app, "\x1b[31m", "1/hour")
        self.assertNotIn("\x1b", self.server.must("app", "end-users", app))


class OfTheSettings(EndUsersCase):
    settings = SETTINGS + 'end_user = "2/hour"\n'

    # Rule rate-limit-of-one-end-user.
    def test_it_holds_instead_of_the_settings_and_a_key_narrows_those_too(self):
        self.assertEqual(self.applied("ada")["applied"],
                         {"rate_limit": "2/hour", "from": "settings"})
        self.limited("ada", "1/hour")
        self.limited("eve", "3/hour")
        self.assertEqual(self.statuses("ada", 2), [201, 429])
        self.assertEqual(self.statuses("eve", 4), [201, 201, 201, 429])
        self.assertEqual(self.statuses("bob", 3), [201, 201, 429])
        key = self.knows_key(self.key("--live", "--scope", "apps:*"))
        self.assertEqual(self.limit("dan", "3/hour", key).status, 403)
        self.assertEqual(self.limit("dan", "2/hour", key).status, 200)


if __name__ == "__main__":
    main()
