"""Our own API mints session tokens with every limit that they can have, and takes them back.

SPDX-License-Identifier: Apache-2.0
"""

import json
import time
import unittest

from cases import Stage, claims_of, is_ahead, main, wait_until
from motion_messages import Error
from raw_websocket import Refusal

PATH = "/v1/session-tokens"
REVOKE_PATH = PATH + "/revoke"
BUILT_IN_AVATAR = "071b0286-4cce-4808-bee2-e642f1062de3"


class TokenCase(unittest.TestCase):
    settings = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Stage(cls.settings).__enter__()
        cls.addClassCleanup(cls.server.close)
        cls.live_key = json.loads(
            cls.server.must("key", "create", "--live", "--name", "live", "--json")
        )
        cls.other_app = cls.server.second_app()
        made = cls.server.must("key", "create", "--app", cls.other_app, "--name", "o", "--json")
        cls.other_key = json.loads(made)
        wait_until(lambda: cls.server.mint(cls.other_key["api_key"]).status == 200, "the keys")
        wait_until(lambda: cls.server.mint(cls.live_key["api_key"]).status == 200, "the keys")

    def call(self, path, body, key=None):
        key = key or self.server.api_key
        return self.server.http("POST", path, {"Authorization": f"Bearer {key}"}, body)

    def mint(self, key=None, **members):
        reply = self.call(PATH, members, key)
        self.assertEqual(reply.status, 201, reply.body)
        return reply.json()

    def refused(self, reply, status, words=""):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        problem = reply.json()
        self.assertEqual(problem["status"], status)
        self.assertIn(words, problem.get("detail", ""))


class Minting(TokenCase):
    def test_a_token_of_defaults_opens_a_session(self):
        began = time.time()
        minted = self.mint()
        self.assertTrue(is_ahead(minted["expires_at"], 600, began), minted)
        self.assertEqual(minted["uses_max"], 1)
        self.assertEqual(minted["environment"], "test")
        self.assertEqual(minted["app_id"], self.server.app_id)
        self.assertIsNone(minted["avatar_id"])
        self.assertTrue(self.server.is_admitted(minted["session_token"]))

    # Rule session-token-lifetime.
    def test_a_token_expires_no_later_than_the_key_that_mints_it_and_each_door_says_when(self):
        end = int(time.time()) + 100
        made = self.call("/v1/keys", {"name": "short", "expires_at": end}).json()["api_key"]
        minted = self.mint(made)
        self.assertEqual((minted["expires_at"], claims_of(minted["session_token"])["exp"]), (end, end))
        self.assertTrue(self.server.is_admitted(minted["session_token"]))
        self.assertEqual(self.mint(made, expires_in_seconds=50)["leash"]["length_max_seconds"],
                         self.mint()["leash"]["length_max_seconds"])
        console = self.server.mint(made)
        self.assertEqual(console.json()["expireAt"], end)

    # Rule api-key-expiry.
    def test_a_rotation_with_grace_does_not_shorten_what_the_key_minted_before(self):
        made = self.call("/v1/keys", {"name": "old"}).json()
        before = self.mint(made["api_key"])
        rotated = self.call(f"/v1/keys/{made['id']}/rotate", {"grace_seconds": 1}).json()
        wait_until(lambda: self.call(PATH, {}, made["api_key"]).status == 401, "the grace to end")
        self.assertLess(rotated["old"]["expires_at"], before["expires_at"])
        self.assertTrue(self.server.is_admitted(before["session_token"]))

    # Rule built-in-ids.
    def test_a_built_in_avatar_is_minted_for_shown_and_opens_a_session(self):
        cara = "30fa96d0-26c4-4e55-94a0-517025942e18"
        token = self.mint(avatar_id=cara)["session_token"]
        app = {"X-App-ID": self.server.app_id}
        shown = self.server.http("GET", f"/v2/character/{cara}", app)
        self.assertEqual((shown.status, shown.json()["name"]), (200, "Cara"))
        self.assertTrue(self.server.is_admitted(token, avatar=cara))

    def test_the_answer_states_what_was_really_applied(self):
        began = time.time()
        minted = self.mint(
            uses_max=50,
            expires_in_seconds=3600,
            connect_within_seconds=60,
            end_user_id="user-7",
            avatar_id=self.server.avatar_id,
            regions=["us-west", "eu"],
            allowed_origins=["https://a.example"],
            metadata={"room": 7, "tags": ["x"]},
            leash={
                "length_max_seconds": 10**9,
                "idle_max_seconds": 20,
                "warning_seconds": 30,
                "sessions_max": 5,
            },
        )
        self.assertEqual(minted["uses_max"], 1)
        self.assertEqual(minted["end_user_id"], "user-7")
        self.assertEqual(minted["avatar_id"], self.server.avatar_id)
        self.assertEqual(minted["regions"], ["us-west", "eu"])
        self.assertEqual(minted["allowed_origins"], ["https://a.example"])
        self.assertEqual(minted["metadata"], {"room": 7, "tags": ["x"]})
        self.assertEqual(
            minted["leash"],
            {
                "length_max_seconds": 7200,
                "idle_max_seconds": 20,
                "warning_seconds": 30,
                "sessions_max": 5,
            },
        )
        self.assertTrue(is_ahead(minted["connect_by"], 60, began), minted)
        claims = claims_of(minted["session_token"])
        self.assertEqual(claims["sub"], "user-7")
        self.assertEqual(claims["exp"], minted["expires_at"])
        self.assertEqual(claims["leash"]["by"], minted["connect_by"])
        self.assertLessEqual(len(minted["session_token"]), 4096)

    def test_times_may_be_absolute(self):
        at = int(time.time()) + 1000
        minted = self.mint(expires_at=at, connect_by=at - 500)
        self.assertEqual((minted["expires_at"], minted["connect_by"]), (at, at - 500))

    def test_a_member_at_fault_is_named(self):
        for body, words in (
            ({"uses": 1}, "uses is not known here; did you mean uses_max?"),
            ({"uses_max": 0}, "uses_max must be a whole number"),
            ({"uses_max": "1"}, "uses_max"),
            ({"expires_in_seconds": 86401}, "expires_in_seconds"),
            ({"expires_in_seconds": 0}, "expires_in_seconds"),
            ({"expires_at": 1}, "expireAt must lie in the future"),
            ({"expires_at": 2 * 10**9, "expires_in_seconds": 5}, "exclude each other"),
            ({"connect_by": 1}, "connect_by must lie in the future"),
            ({"environment": "prod"}, "environment must be one of live, test"),
            ({"leash": {"lenght_max_seconds": 1}}, "leash.lenght_max_seconds is not known"),
            ({"leash": {"idle_max_seconds": -1}}, "leash.idle_max_seconds"),
            ({"leash": 5}, "leash must be a JSON object"),
            ({"regions": "eu"}, "regions must be a list"),
            ({"regions": ["r"] * 9}, "regions must be a list of at most 8"),
            ({"allowed_origins": ["a.example"]}, "allowed_origins"),
            ({"allowed_origins": [7]}, "allowed_origins"),
            ({"metadata": {"m": "x" * 1024}}, "metadata must be a JSON object of at most 1024"),
            ({"metadata": []}, "metadata"),
            ({"end_user_id": "u" * 257}, "end_user_id must be a text of at most 256 bytes"),
            ({"avatar_id": 7}, "avatar_id"),
            ([], "must be a JSON object"),
        ):
            with self.subTest(body=body):
                self.refused(self.call(PATH, body), 400, words)
        self.refused(self.call(PATH, '{"a":1,"a":2}'), 400)
        self.refused(self.call(PATH, "{"), 400)

    def test_a_token_longer_than_4096_bytes_is_not_minted(self):
        body = {
            "allowed_origins": ["https://" + "a" * 240] * 8,
            "metadata": {"m": "m" * 1000},
        }
        self.refused(self.call(PATH, body), 400, "4096 bytes")

    def test_who_may_not_is_refused(self):
        self.refused(self.server.http("POST", PATH, {}, {}), 401)
        self.refused(self.call(PATH, {}, "av_test_nonsense"), 401)
        self.refused(self.call(PATH, {"environment": "live"}), 403, "test key")
        self.refused(self.call(PATH, {"app_id": self.other_app}), 403)
        self.refused(self.call(PATH, {"app_id": "app_nobody"}), 403)
        self.refused(self.call(PATH, {"avatar_id": "7"}), 404)

    def test_a_session_token_mints_nothing(self):
        self.refused(self.call(PATH, {}, self.mint()["session_token"]), 401)

    def test_a_live_key_mints_live_tokens(self):
        self.assertEqual(self.mint(self.live_key["api_key"])["environment"], "live")

    # Rule session-token-regions.
    def test_a_token_for_other_regions_opens_nothing_here(self):
        self.assertEqual(
            self.server.knock(self.mint(regions=["eu"])["session_token"]).status, 403
        )
        here = self.mint(regions=["us-west"])["session_token"]
        self.assertTrue(self.server.is_admitted(here))

    # Rule session-token-origins.
    def test_pages_of_other_origins_are_refused_and_the_token_stays_unspent(self):
        token = self.mint(allowed_origins=["https://a.example"])["session_token"]
        for origin in ("https://evil.example", "null", "http://a.example", ""):
            with self.subTest(origin=origin):
                refusal = self.server.knock(token, headers={"Origin": origin})
                self.assertIsInstance(refusal, Refusal)
                self.assertEqual(refusal.status, 403)
                self.assertIn("origin", json.loads(refusal.body)["message"])
        self.assertEqual(self.server.knock(token).status, 403)
        self.assertTrue(self.server.is_admitted(token, headers={"Origin": "https://a.example"}))

    def test_a_token_without_origins_is_for_any_page(self):
        token = self.mint()["session_token"]
        self.assertTrue(self.server.is_admitted(token, headers={"Origin": "https://b.example"}))

    # Rule leash-warning.
    def test_the_end_of_a_session_is_told_of_before(self):
        token = self.mint(leash={"length_max_seconds": 2, "warning_seconds": 1})["session_token"]
        session = self.server.session(token)
        warned = self.server.wait_for_log("session.ending_soon", session_id=session.connection_id)
        self.assertEqual(warned["seconds"], 1)
        self.assertIn("time limit", session.receive().text)
        ended = self.server.wait_for_log("session.ended", session_id=session.connection_id)
        self.assertEqual(ended["reason"], "length_reached")
        self.assertGreaterEqual(ended["lasted_millis"], 2000)
        session.websocket.wire.drop()


class OfAPersona(TokenCase):
    def setUp(self):
        self.persona = self.server.initialised["persona_id"]

    # Rule persona-checked-at-minting.
    def test_a_token_names_the_personas_avatar_and_its_snapshot(self):
        began = time.time()
        minted = self.mint(persona_id=self.persona, end_user_id="ada", expires_in_seconds=60)
        self.assertEqual(minted["persona_id"], self.persona)
        self.assertEqual(minted["avatar_id"], self.server.avatar_id)
        self.assertEqual((minted["end_user_id"], minted["uses_max"]), ("ada", 1))
        self.assertTrue(is_ahead(minted["expires_at"], 60, began), minted)
        claims = claims_of(minted["session_token"])
        self.assertEqual(len(claims["persona"]), 43)
        again = claims_of(self.mint(persona_id=self.persona)["session_token"])
        self.assertEqual(again["persona"], claims["persona"])
        self.assertIsNone(self.mint()["persona_id"])

    # Rule persona-checked-at-minting.
    def test_what_is_not_there_is_refused_with_the_member_named(self):
        nobody = {"persona_id": "00000000-0000-4000-8000-000000000000"}
        self.refused(self.call(PATH, nobody), 400, "persona_id: ")
        # The first persona is of the test environment.
        foreign = self.call(PATH, {"persona_id": self.persona}, self.live_key["api_key"])
        self.refused(foreign, 400, "persona_id: ")
        self.assertEqual(foreign.json(), self.call(PATH, nobody).json())

    # Rule persona-checked-at-minting.
    def test_an_avatar_that_is_named_too_must_be_the_personas(self):
        same = self.mint(persona_id=self.persona, avatar_id=self.server.avatar_id)
        self.assertEqual(same["avatar_id"], self.server.avatar_id)
        other = {"persona_id": self.persona, "avatar_id": self.server.second_avatar()}
        self.refused(self.call(PATH, other), 400, "avatar_id: ")

    def test_a_developer_mints_for_it_too_and_a_viewer_does_not(self):
        for role, status in (("developer", 201), ("viewer", 403)):
            who = {"email": f"{role}@example.com", "password": "correct horse"}
            invited = json.loads(self.server.must(
                "member", "invite", "--email", who["email"], "--role", role, "--json"))
            self.server.http(
                "POST", "/v1/accounts", body=who | {"invitation_code": invited["code"]})
            person = self.server.http("POST", "/v1/login", body=who).json()["access_token"]
            body = {"persona_id": self.persona, "app_id": self.server.app_id, "environment": "test"}
            self.assertEqual(self.call(PATH, body, person).status, status, role)


class UnlistedOrigins(TokenCase):
    settings = '[tokens]\nunlisted_origins = "none"\n'

    # Rule session-token-origins.
    def test_a_setting_keeps_pages_out_where_the_token_lists_no_origins(self):
        token = self.mint()["session_token"]
        refusal = self.server.knock(token, headers={"Origin": "https://b.example"})
        self.assertEqual(refusal.status, 403)
        self.assertTrue(self.server.is_admitted(token))


class Revoking(TokenCase):
    def revoke(self, key=None, **subject):
        reply = self.call(REVOKE_PATH, subject, key)
        self.assertEqual(reply.status, 200, reply.body)
        # What is minted in the very millisecond of a revocation goes with it.
        answered = time.time_ns() // 1_000_000
        wait_until(lambda: time.time_ns() // 1_000_000 > answered, "the next millisecond")
        return reply.json()["live_sessions_ended"]

    def assert_revoked(self, session):
        said = session.receive()
        self.assertIsInstance(said, Error)
        self.assertIn("revoked", said.text)
        self.assertEqual(session.websocket.wait_until_closed().code, 4010)

    # Rule session-token-revoked-with-its-sessions.
    def test_each_subject_takes_its_tokens_and_live_sessions_along_and_no_others(self):
        other = self.server.session(self.mint(self.other_key["api_key"])["session_token"],
                                    app=self.other_app)
        for subject in ("session_token", "end_user_id", "api_key_id", "app_id", "avatar_id"):
            with self.subTest(subject=subject):
                opening = self.mint(end_user_id=subject)["session_token"]
                unused = self.mint(end_user_id=subject)["session_token"]
                session = self.server.session(opening)
                value = {
                    "session_token": opening,
                    "end_user_id": subject,
                    "api_key_id": claims_of(opening)["key"],
                    "app_id": self.server.app_id,
                    "avatar_id": self.server.avatar_id,
                }[subject]
                self.assertEqual(self.revoke(**{subject: value}), 1)
                self.assert_revoked(session)
                self.assertEqual(self.server.is_admitted(unused), subject == "session_token")
                later = self.mint(end_user_id=subject)["session_token"]
                self.assertTrue(self.server.is_admitted(later))
                self.assertEqual(self.revoke(**{subject: value}), 0)
        self.assertTrue(other.still_serves())
        other.websocket.wire.drop()

    # Rule session-token-revoked-with-its-sessions.
    def test_a_revocation_outlives_kill_9_and_is_in_the_audit_log(self):
        token = self.mint(end_user_id="gone")["session_token"]
        self.revoke(end_user_id="gone")
        self.server.restart(9)
        self.assertEqual(self.server.knock(token).status, 400)
        entries = self.server.audited("session_token.revoke")
        self.assertIn("gone", [one["subject"] for one in entries])

    # Rule session-token-revoked-with-its-sessions.
    def test_who_minted_may_be_named_as_such_and_an_account_of_others_is_not_there(self):
        token = self.mint()["session_token"]
        self.revoke(minted_by=claims_of(token)["key"])
        self.assertEqual(self.server.knock(token).status, 400)
        self.refused(self.call(REVOKE_PATH, {"minted_by": "acc_nobody"}), 404)

    # Rule session-token-revoked-with-its-sessions.
    def test_what_was_minted_for_a_built_in_avatar_is_revoked_by_it(self):
        token, unused = (self.mint(avatar_id=BUILT_IN_AVATAR)["session_token"] for _ in range(2))
        session = self.server.session(token, avatar=BUILT_IN_AVATAR)
        other = self.server.session(self.mint()["session_token"])
        self.assertEqual(self.revoke(avatar_id=BUILT_IN_AVATAR), 1)
        self.assert_revoked(session)
        self.assertFalse(self.server.is_admitted(unused, avatar=BUILT_IN_AVATAR))
        self.assertTrue(other.still_serves())
        other.websocket.wire.drop()

    # Rule session-token-revoked-with-its-sessions.
    def test_what_was_minted_for_an_avatar_that_is_gone_for_good_is_revoked_by_it(self):
        avatar = self.server.second_avatar()
        key = self.live_key["api_key"]
        wait_until(lambda: self.call(PATH, {"avatar_id": avatar}, key).status == 201, "the avatar")
        session = self.server.session(self.mint(key, avatar_id=avatar)["session_token"],
                                      avatar=avatar)
        bearer = {"Authorization": f"Bearer {key}"}
        removed = self.server.http("DELETE", f"/v1/avatars/{avatar}?hard=true", bearer)
        self.assertEqual(removed.status, 200, removed.body)
        self.assertTrue(session.still_serves())
        self.assertEqual(self.revoke(key, avatar_id=avatar), 1)
        self.assert_revoked(session)

    def test_a_test_key_does_not_reach_live_sessions(self):
        live = self.mint(self.live_key["api_key"], end_user_id="both")["session_token"]
        self.assertEqual(self.revoke(end_user_id="both"), 0)
        self.refused(self.call(REVOKE_PATH, {"session_token": live}), 404)
        self.refused(self.call(REVOKE_PATH, {"api_key_id": self.live_key["id"]}), 404)
        self.assertTrue(self.server.is_admitted(live))

    def test_what_belongs_to_others_is_not_there(self):
        foreign = self.mint(self.other_key["api_key"])["session_token"]
        for body in (
            {"session_token": foreign},
            {"session_token": "bogus"},
            {"api_key_id": self.other_key["id"]},
            {"api_key_id": "key_0000000000000000"},
            {"avatar_id": "7"},
        ):
            with self.subTest(body=body):
                self.refused(self.call(REVOKE_PATH, body), 404, "nothing of this name")
        self.refused(self.call(REVOKE_PATH, {"app_id": self.other_app}), 403)

    def test_exactly_one_subject_is_named(self):
        for body in (
            {},
            {"end_user_id": ""},
            {"end_user_id": "a", "avatar_id": "b"},
            {"user": "a"},
            {"end_user_id": 7},
        ):
            with self.subTest(body=body):
                self.refused(self.call(REVOKE_PATH, body), 400)

    def test_without_a_credential_nothing_is_revoked(self):
        self.refused(self.server.http("POST", REVOKE_PATH, {}, {"end_user_id": "a"}), 401)


if __name__ == "__main__":
    main()
