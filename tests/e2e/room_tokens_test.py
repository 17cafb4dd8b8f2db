"""POST /v1/room-tokens/livekit and /agora, against the real binary: what is minted, what refused.

The vendors' own libraries check the same tokens in tests/conform/room_tokens.mjs.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import contextlib
import hashlib
import hmac
import json
import pathlib
import sqlite3
import struct
import time
import unittest
import zlib

from cases import Stage, claims_of, is_ahead, main, wait_until

LIVEKIT = "/v1/room-tokens/livekit"
AGORA = "/v1/room-tokens/agora"
LIVEKIT_KEY = "APIwLeah7g4fuLYDYAJeaKsSE"
LIVEKIT_SECRET = "8nTlwISkb-63DPP7OH4e.nw.J44JjicvZDiz8J59EoQ+"
AGORA_APP = "970CA35de60c44645bbae8a215061b33"
AGORA_CERTIFICATE = "5CFd2fd1755d40ecb72977518be15d3b"
PARTICIPANT = {"room": "lobby", "identity": "visitor-42", "grants": {"room_join": True}}
LISTENER = {"channel": "lobby", "uid": 42, "role": "subscriber"}


def room_settings(folder, more="accept_test_keys = true\n"):
    """Settings for both services, their secrets in private files in the folder."""
    for name, secret in (("livekit", LIVEKIT_SECRET), ("agora", AGORA_CERTIFICATE)):
        path = pathlib.Path(folder, name + "-secret")
        path.touch(mode=0o600)
        path.write_text(secret + "\n")
    return (
        "[rooms]\n"
        'livekit_url = "wss://livekit.example"\n'
        f'livekit_api_key = "{LIVEKIT_KEY}"\n'
        f'livekit_secret_file = "{folder}/livekit-secret"\n'
        f'agora_app_id = "{AGORA_APP}"\n'
        f'agora_certificate_file = "{folder}/agora-secret"\n' + more
    )


def key_for_rooms(stage, *options):
    """A key that may mint room tokens, which no key does for which no scopes are named."""
    made = stage.must("key", "create", "--app", stage.app_id, "--name", "rooms", "--scope",
                      "rooms:mint", "--json", *options)
    return json.loads(made)["api_key"]


def stage_with_rooms(more=""):
    stage = Stage()
    stage.init()
    tests = "" if "accept_test_keys" in more else "accept_test_keys = true\n"
    stage.settings = room_settings(stage.data, tests + more)
    stage.rooms_key = key_for_rooms(stage)
    return stage


class AgoraToken:
    """Reads an AccessToken2 back, and its signature against the certificate."""

    def __init__(self, text):
        assert text[:3] == "007", text
        packed = zlib.decompress(base64.b64decode(text[3:], validate=True))
        (length,) = struct.unpack_from("<H", packed)
        signature, self.rest = packed[2 : 2 + length], packed[2 + length :]
        content = self.rest
        self.app_id = self.text()
        self.issued_at, self.lifetime, self.salt = self.numbers("<III")
        services, service = self.numbers("<HH")
        assert (services, service) == (1, 1), (services, service)
        (count,) = self.numbers("<H")
        self.privileges = dict(self.numbers("<HI") for _ in range(count))
        self.channel, self.user = self.text(), self.text()
        assert self.rest == b"", self.rest
        key = AGORA_CERTIFICATE.encode()
        for number in (self.issued_at, self.salt):
            key = hmac.digest(struct.pack("<I", number), key, hashlib.sha256)
        assert hmac.digest(key, content, hashlib.sha256) == signature

    def numbers(self, form):
        values = struct.unpack_from(form, self.rest)
        self.rest = self.rest[struct.calcsize(form) :]
        return values

    def text(self):
        (length,) = self.numbers("<H")
        text, self.rest = self.rest[:length], self.rest[length:]
        return text.decode()


class RoomCase(unittest.TestCase):
    more = ""

    @classmethod
    def setUpClass(cls):
        cls.server = stage_with_rooms(cls.more)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def post(self, path, body, key=None):
        bearer = {"Authorization": f"Bearer {key or self.server.rooms_key}"}
        return self.server.http("POST", path, bearer, body)

    def minted(self, path, body):
        reply = self.post(path, body)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Cache-Control"], "no-store")
        return reply.json()

    def assert_problem(self, reply, status, words):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        self.assertIn(words, reply.json()["detail"])


class LiveKit(RoomCase):
    def test_a_token_is_signed_with_the_projects_secret_and_holds_what_was_asked_for(self):
        began = time.time()
        answer = self.minted(
            LIVEKIT,
            PARTICIPANT
            | {
                "name": "Ada",
                "metadata": '{"a":1}',
                "attributes": {"seat": "7"},
                "ttl_seconds": 600,
                "grants": {
                    "room_join": True,
                    "can_publish": True,
                    "can_publish_sources": ["microphone"],
                },
            },
        )
        self.assertEqual(answer["url"], "wss://livekit.example")
        self.assertEqual((answer["room"], answer["identity"]), ("lobby", "visitor-42"))
        self.assertTrue(is_ahead(answer["expires_at"], 600, began), answer)
        signed, signature = answer["token"].rsplit(".", 1)
        mac = hmac.digest(LIVEKIT_SECRET.encode(), signed.encode(), hashlib.sha256)
        self.assertEqual(signature, base64.urlsafe_b64encode(mac).rstrip(b"=").decode())
        claims = claims_of(answer["token"])
        self.assertEqual(claims["iss"], LIVEKIT_KEY)
        self.assertEqual(claims["sub"], "visitor-42")
        self.assertEqual((claims["name"], claims["metadata"]), ("Ada", '{"a":1}'))
        self.assertEqual(claims["exp"], answer["expires_at"])
        self.assertEqual(claims["exp"] - claims["nbf"], 600)
        self.assertEqual(claims["attributes"]["seat"], "7")
        self.assertEqual(claims["video"]["canPublishSources"], ["microphone"])

    # Rule room-token-states-every-grant.
    def test_what_was_not_granted_is_stated_as_false(self):
        video = claims_of(self.minted(LIVEKIT, PARTICIPANT)["token"])["video"]
        self.assertEqual(video.pop("room"), "lobby")
        self.assertIs(video.pop("roomJoin"), True)
        self.assertEqual(set(video.values()), {False})
        self.assertLessEqual({"canPublish", "canSubscribe", "canPublishData"}, set(video))

    # Rule room-token-test-is-marked.
    def test_a_test_keys_token_is_marked_and_a_callers_mark_is_refused(self):
        answer = self.minted(LIVEKIT, PARTICIPANT)
        self.assertEqual(answer["environment"], "test")
        attributes = claims_of(answer["token"])["attributes"]
        self.assertEqual(attributes, {"stagedoor.environment": "test"})
        forged = PARTICIPANT | {"attributes": {"stagedoor.environment": "live"}}
        self.assert_problem(self.post(LIVEKIT, forged), 400, "stagedoor.")

    def test_a_live_keys_token_bears_no_mark(self):
        key = key_for_rooms(self.server, "--live")
        wait_until(lambda: self.post(LIVEKIT, PARTICIPANT, key).status == 200, "the live key")
        reply = self.post(LIVEKIT, PARTICIPANT, key)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.json()["environment"], "live")
        self.assertNotIn("attributes", claims_of(reply.json()["token"]))

    # Rule room-token-lifetime.
    def test_a_lifetime_beyond_24_hours_is_refused_and_named(self):
        for seconds in (0, -1, 86401, "600", 1.5):
            reply = self.post(LIVEKIT, PARTICIPANT | {"ttl_seconds": seconds})
            self.assert_problem(reply, 400, "ttl_seconds")
        began = time.time()
        answer = self.minted(LIVEKIT, PARTICIPANT | {"ttl_seconds": 86400})
        self.assertTrue(is_ahead(answer["expires_at"], 86400, began), answer)

    # Rule room-grants-for-all-rooms.
    def test_a_grant_for_all_rooms_is_refused(self):
        for grant in ("room_create", "room_list", "room_record", "ingress_admin"):
            reply = self.post(LIVEKIT, PARTICIPANT | {"grants": {grant: True}})
            self.assert_problem(reply, 403, grant)

    # Rule api-unknown-member-refused.
    def test_a_member_that_is_not_right_is_named(self):
        for change, words in (
            ({"identity": None}, "identity"),
            ({"identity": 7}, "identity"),
            ({"room": ""}, "room"),
            ({"room": "a" * 257}, "room"),
            ({"grants": None}, "grants"),
            ({"grants": {"room_join": False}}, "grants"),
            ({"grants": {"roomJoin": True}}, 'did you mean "room_join"'),
            ({"identiti": "x"}, 'did you mean "identity"'),
            ({"metadata": "a" * 4097}, "metadata"),
        ):
            self.assert_problem(self.post(LIVEKIT, PARTICIPANT | change), 400, words)

    def test_without_an_accepted_key_nothing_is_minted(self):
        self.assertEqual(self.server.http("POST", LIVEKIT, {}, PARTICIPANT).status, 401)
        self.assertEqual(self.post(LIVEKIT, PARTICIPANT, "av_test_none").status, 401)


class Agora(RoomCase):
    def test_a_token_is_signed_under_the_certificate_and_holds_what_was_asked_for(self):
        answer = self.minted(AGORA, LISTENER | {"ttl_seconds": 600})
        token = AgoraToken(answer["token"])
        self.assertEqual((token.app_id, answer["app_id"]), (AGORA_APP, AGORA_APP))
        self.assertEqual((token.channel, token.user), ("lobby", "42"))
        self.assertEqual(token.lifetime, 600)
        self.assertEqual(token.issued_at + 600, answer["expires_at"])
        self.assertEqual(token.privileges, {1: 600})
        self.assertEqual(answer["environment"], "test")

    def test_a_publisher_may_publish_sound_video_and_data(self):
        answer = self.minted(AGORA, {"channel": "lobby", "account": "ada", "role": "publisher"})
        token = AgoraToken(answer["token"])
        self.assertEqual(token.privileges, dict.fromkeys((1, 2, 3, 4), 3600))
        self.assertEqual(token.user, "ada")

    def test_two_tokens_for_the_same_differ(self):
        salts = {AgoraToken(self.minted(AGORA, LISTENER)["token"]).salt for _ in range(2)}
        self.assertEqual(len(salts), 2)

    def test_uid_0_lets_whoever_comes_in_and_must_be_said(self):
        self.assertEqual(AgoraToken(self.minted(AGORA, LISTENER | {"uid": 0})["token"]).user, "")
        self.assert_problem(self.post(AGORA, LISTENER | {"uid": None}), 400, "uid")

    # Rule room-token-lifetime.
    def test_a_member_that_is_not_right_is_named(self):
        for change, words in (
            ({"ttl_seconds": 86401}, "ttl_seconds"),
            ({"channel": ""}, "channel"),
            ({"channel": "a/b"}, "channel"),
            ({"channel": "a" * 64}, "channel"),
            ({"uid": 2**32}, "uid"),
            ({"account": "ada"}, "account"),
            ({"role": "admin"}, "role"),
            ({"role": None}, "role"),
            ({"chanel": "x"}, 'did you mean "channel"'),
        ):
            self.assert_problem(self.post(AGORA, LISTENER | change), 400, words)


class OfPeople(RoomCase):
    def person(self, role):
        who = {"email": f"{role}@example.com", "password": "correct horse battery"}
        invited = json.loads(self.server.must(
            "member", "invite", "--email", who["email"], "--role", role, "--json"))
        self.server.http("POST", "/v1/accounts", body=who | {"invitation_code": invited["code"]})
        return self.server.http("POST", "/v1/login", body=who).json()["access_token"]

    # Rule role-permissions.
    def test_a_developer_mints_for_the_app_and_environment_that_they_name_and_a_viewer_does_not(self):
        place = {"app_id": self.server.app_id, "environment": "live"}
        developer, viewer = self.person("developer"), self.person("viewer")
        for path, body in ((LIVEKIT, PARTICIPANT), (AGORA, LISTENER)):
            reply = self.post(path, body | place, developer)
            self.assertEqual(reply.status, 200, reply.body)
            self.assertEqual(reply.json()["environment"], "live")
            marked = self.post(path, body | place | {"environment": "test"}, developer)
            self.assertEqual(marked.json()["environment"], "test")
            for left_out in place:
                said = {name: value for name, value in place.items() if name != left_out}
                self.assert_problem(self.post(path, body | said, developer), 400, left_out)
            nothing = self.post(path, body | place | {"app_id": "app_none"}, developer)
            self.assert_problem(nothing, 404, "no app")
            self.assert_problem(self.post(path, body | place, viewer), 403, "rooms:mint")
        (entry, *_) = self.server.audited("room_token.mint")
        self.assertTrue(entry["actor"].startswith("acc_"))
        self.assertIn(self.server.app_id, entry["detail"])
        self.assertEqual(entry["workspace_id"], self.server.initialised["workspace_id"])

    # Rule app-chosen-by-its-owner.
    def test_a_key_may_name_its_own_app_and_environment_and_no_other(self):
        self.minted(LIVEKIT, PARTICIPANT | {"app_id": self.server.app_id, "environment": "test"})
        self.assert_problem(self.post(LIVEKIT, PARTICIPANT | {"app_id": "app_none"}), 403, "app")
        other = self.post(LIVEKIT, PARTICIPANT | {"environment": "live"})
        self.assert_problem(other, 403, "test key")

    def test_what_a_key_has_minted_is_in_its_blast_radius_and_what_others_have_is_not(self):
        thief = json.loads(self.server.must("key", "create", "--app", self.server.app_id, "--name",
                                            "stolen", "--scope", "rooms:mint", "--json"))
        wait_until(lambda: self.post(LIVEKIT, PARTICIPANT, thief["api_key"]).status == 200, "it")
        self.minted(LIVEKIT, PARTICIPANT | {"room": "of another key"})
        reply = self.post(AGORA, LISTENER | {"channel": "den"}, thief["api_key"])
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(self.post(AGORA, LISTENER | {"uid": -1}, thief["api_key"]).status, 400)
        told = json.loads(self.server.must("key", "blast-radius", thief["id"], "--json"))
        self.assertEqual(told["room_token_count"], 2)
        self.assertEqual([one["room"] for one in told["room_tokens"]], ["den", "lobby"])
        self.assertEqual({one["network"] for one in told["room_tokens"]}, {"127.0.0.1"})
        self.assertIn("2 room tokens", self.server.must("key", "blast-radius", thief["id"]))


class GrantsForAllRooms(RoomCase):
    more = "livekit_grants_for_all_rooms = true\n"

    def test_are_given_where_the_settings_allow_them(self):
        answer = self.minted(LIVEKIT, {"identity": "backend", "grants": {"room_create": True}})
        self.assertIs(claims_of(answer["token"])["video"]["roomCreate"], True)


class NoTestKeys(RoomCase):
    more = "accept_test_keys = false\n"  # The default too.

    def test_test_keys_are_refused_where_the_settings_say_so(self):
        for path, body in ((LIVEKIT, PARTICIPANT), (AGORA, LISTENER)):
            self.assert_problem(self.post(path, body), 403, "rooms.accept_test_keys")


class Whose(RoomCase):
    more = "rooms_by_app = true\n"

    # Rule room-apps-apart.
    def test_a_room_of_another_app_is_refused_where_apps_share_a_project(self):
        own = self.server.app_id + "-lobby"
        self.assertEqual(self.minted(LIVEKIT, PARTICIPANT | {"room": own})["room"], own)
        self.assert_problem(self.post(LIVEKIT, PARTICIPANT), 403, "rooms.rooms_by_app")
        self.assert_problem(self.post(AGORA, LISTENER), 403, "rooms.rooms_by_app")

    # Rule api-key-scopes.
    def test_a_key_without_scopes_mints_none(self):
        self.assert_problem(self.post(LIVEKIT, PARTICIPANT, self.server.api_key), 403, "rooms:mint")

    # Rule audit-fail-closed.
    def test_each_token_and_each_refusal_is_in_the_audit_log(self):
        self.minted(LIVEKIT, PARTICIPANT | {"room": self.server.app_id + "-audited"})
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            subjects = store.execute(
                "SELECT subject FROM audit_log WHERE action = 'room_token.mint' AND outcome = 0"
            ).fetchall()
        self.assertIn((self.server.app_id + "-audited",), subjects, "kept when the answer comes")


class LimitsOfSessions(RoomCase):
    # Rule room-limits-as-sessions.
    def test_an_end_users_limit_holds_for_the_rooms_that_they_enter(self):
        self.server.must("app", "set", self.server.app_id, "--end-user-limit", "1/hour")
        ada = PARTICIPANT | {"identity": "ada"}
        wait_until(lambda: self.post(LIVEKIT, PARTICIPANT).status == 429, "the limit to be known")
        self.assertEqual(self.post(LIVEKIT, ada).status, 200)
        refused = self.post(LIVEKIT, ada)
        self.assert_problem(refused, 429, "end user")
        self.assertGreater(int(refused.headers["Retry-After"]), 3000)
        listener = {"channel": "lobby", "account": "ada", "role": "subscriber"}
        self.assertEqual(self.post(AGORA, listener).status, 429, "one user, whichever room it is")
        self.assertEqual(self.post(AGORA, listener | {"account": "bob"}).status, 200)
        self.server.must("app", "set", self.server.app_id, "--end-user-limit", "none")
        wait_until(lambda: self.post(LIVEKIT, ada).status == 200, "the limit to be lifted")

    # Rules room-limits-as-sessions and test-mode-forces-refusals.
    def test_a_test_key_forces_each_refusal_of_minting(self):
        for status in (401, 402, 403, 429, 503):
            identity = f"test-force-mint-{status}"
            self.assertEqual(self.post(LIVEKIT, PARTICIPANT | {"identity": identity}).status, status)
            listener = {"channel": "lobby", "account": identity, "role": "subscriber"}
            self.assertEqual(self.post(AGORA, listener).status, status)


class Unrecorded(RoomCase):
    # Rule audit-fail-closed.
    def test_503_a_token_that_cannot_be_recorded_is_not_given_out(self):
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            store.execute("CREATE TRIGGER refuse BEFORE INSERT ON audit_log "
                          "BEGIN SELECT RAISE(ABORT, 'no'); END;")
            store.commit()
        for path, body in ((LIVEKIT, PARTICIPANT), (AGORA, LISTENER)):
            reply = self.post(path, body)
            self.assertEqual(reply.status, 503, reply.body)
            self.assertNotIn("token", reply.json())


class OfOthers(RoomCase):
    more = 'workspaces = ["ws_other"]\n'

    # Rule room-apps-apart.
    def test_an_app_of_a_workspace_that_the_settings_do_not_name_mints_none(self):
        self.assert_problem(self.post(LIVEKIT, PARTICIPANT), 403, "rooms.workspaces")
        self.assert_problem(self.post(AGORA, LISTENER), 403, "rooms.workspaces")


class NotSetUp(unittest.TestCase):
    def test_the_answer_is_501_and_names_the_settings(self):
        with Stage() as server:
            bearer = {"Authorization": f"Bearer {key_for_rooms(server)}"}
            wait_until(lambda: server.http("POST", LIVEKIT, bearer, {}).status != 401, "the key")
            for path, body, setting in (
                (LIVEKIT, PARTICIPANT, "rooms.livekit_secret_file"),
                (AGORA, LISTENER, "rooms.agora_certificate_file"),
            ):
                reply = server.http("POST", path, bearer, body)
                self.assertEqual(reply.status, 501, reply.body)
                self.assertIn(setting, reply.json()["detail"])

    def refused_start(self, change):
        stage = stage_with_rooms()
        try:
            stage.settings = change(stage)
            with self.assertRaises(RuntimeError) as refused:
                stage.start()
            return str(refused.exception)
        finally:
            stage.close()

    def test_half_a_setup_stops_the_start(self):
        said = self.refused_start(lambda stage: '[rooms]\nlivekit_url = "wss://livekit.example"\n')
        self.assertIn("must be set together", said)
        said = self.refused_start(lambda stage: f'[rooms]\nagora_app_id = "{AGORA_APP}"\n')
        self.assertIn("must be set together", said)

    # Rule room-secret-stays.
    def test_a_secret_that_others_can_read_stops_the_start(self):
        def open_up(stage):
            (stage.data / "livekit-secret").chmod(0o644)
            return stage.settings

        self.assertIn("chmod 600", self.refused_start(open_up))


class Secrets(RoomCase):
    # Rule room-secret-stays.
    def test_no_answer_and_no_log_line_holds_a_secret(self):
        answers = [
            self.post(path, body).body.decode()
            for path, body in ((LIVEKIT, PARTICIPANT), (AGORA, LISTENER), (LIVEKIT, {}))
        ]
        settings = str(self.server.data / "settings.toml")
        printed = self.server.must("config", "print", "--config", settings, data=False)
        self.assertIn("livekit-secret", printed)
        for text in (*answers, self.server.log(), printed):
            self.assertNotIn(LIVEKIT_SECRET, text)
            self.assertNotIn(AGORA_CERTIFICATE, text)


if __name__ == "__main__":
    main()
