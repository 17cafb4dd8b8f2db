"""The Avatarium door against the real binary: who comes in, what each call answers, and in what shape.

SPDX-License-Identifier: Apache-2.0
"""

import json
import time
import unittest

from cases import NOBODY, OneStage, Stage, bearer, main, wait_until
from identity_provider import Issuer
from mint_test import made_up_key

PROJECT = "avatarium-prod"
# As the vendor's page prints them.
INVALID_API_KEY = {"code": "INVALID_API_KEY",
                   "message": "The provided API key is invalid or has been revoked"}
UNAUTHORIZED = {"code": "UNAUTHORIZED",
                "message": "Authentication required. Provide an API key or JWT token."}
TOKEN_EXPIRED = {"code": "TOKEN_EXPIRED",
                 "message": "Your authentication token has expired. Please sign in again."}

# Each call that takes a credential, with a body that is right.
GUARDED = [
    ("POST", "/v1/conversations", {}),
    ("GET", "/v1/conversations", None),
    ("GET", f"/v1/conversations/{NOBODY}", None),
    ("DELETE", f"/v1/conversations/{NOBODY}", None),
    ("POST", f"/v1/conversations/{NOBODY}/end", None),
    ("POST", f"/v1/conversations/{NOBODY}/messages", {"content": "hello"}),
    ("POST", "/v1/tts", {"text": "hello"}),
    ("POST", "/v1/tts/preview", {"voice": "x"}),
    ("GET", "/v1/consumer-avatars", None),
    ("POST", "/v1/consumer-avatars", {"slug": "a", "name": "A", "avatarModelUrl": "x"}),
]


class AvatariumCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.issuer = Issuer()
        cls.addClassCleanup(cls.issuer.close)
        cls.server = Stage(f"""
[people]
allow_private_issuers = true
[[people.issuers]]
preset = "firebase"
project = "{PROJECT}"
jwks_url = "{cls.issuer.url}"
""").__enter__()
        cls.addClassCleanup(cls.server.close)

    def person(self, sub="abc123", **other):
        """A token with the claims of the vendor's page."""
        now = int(time.time())
        claims = {"iss": f"https://securetoken.google.com/{PROJECT}", "aud": PROJECT, "sub": sub,
                  "user_id": sub, "email": "user@example.com", "email_verified": True,
                  "auth_time": now - 60, "iat": now - 30, "exp": now + 3570}
        return self.issuer.keys[0].token(claims | other)

    def call(self, method, path, body=None, credential=None):
        return self.server.http(method, path, bearer(credential or self.server.api_key), body)

    def data_of(self, reply, status=200):
        self.assertEqual(reply.status, status, reply.body)
        body = reply.json()
        self.assertEqual(body["meta"]["requestId"], "req_" + reply.headers["X-Request-Id"])
        return body["data"]

    def begin(self, credential=None, **members):
        return self.data_of(self.call("POST", "/v1/conversations", members, credential))

    def assert_refused(self, reply, status, code, hint=None, message=None, field=None):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        body = reply.json()
        self.assertEqual(set(body), {"error", "meta"})
        self.assertEqual(body["error"]["code"], code)
        self.assertTrue(body["error"]["message"])
        self.assertTrue(body["meta"]["requestId"] is None or
                        body["meta"]["requestId"].startswith("req_"))
        if hint is not None:
            self.assertIn(hint, body["error"].get("hint", ""))
        if message is not None:
            self.assertEqual(body["error"]["message"], message)
        if field is not None:
            self.assertIn(field, [one["field"] for one in body["error"]["details"]])


class Credentials(AvatariumCase):
    def test_without_one_every_call_answers_the_printed_error(self):
        for method, path, body in GUARDED:
            with self.subTest(f"{method} {path}"):
                reply = self.server.http(method, path, {}, body)
                self.assertEqual(reply.status, 401)
                self.assertEqual(reply.json()["error"], UNAUTHORIZED)
                self.assertEqual(reply.json()["meta"],
                                 {"requestId": "req_" + reply.headers["X-Request-Id"]})

    def test_an_unknown_and_a_revoked_key_get_the_same_printed_error(self):
        made = json.loads(self.server.must("key", "create", "--json"))
        key = made["api_key"]
        wait_until(lambda: self.call("GET", "/v1/conversations", None, key).status == 200,
                   "the key to be known")
        self.server.must("key", "revoke", made["id"])
        wait_until(lambda: self.call("GET", "/v1/conversations", None, key).status == 401,
                   "the revocation to be known")
        for one in (made_up_key(), key):
            for method, path, body in GUARDED[:8]:
                reply = self.call(method, path, body, one)
                self.assertEqual(reply.status, 401)
                self.assertEqual(reply.json()["error"], INVALID_API_KEY)

    def test_the_troubleshooting_list_is_answered_in_the_hint(self):
        key = self.server.api_key
        wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
        for headers, error, hint in (
            ({"Authorization": f"Bearer  {key}"}, INVALID_API_KEY, "white space"),
            ({"Authorization": f"Bearer {key[:20]} {key[20:]}"}, INVALID_API_KEY, "white space"),
            ({"Authorization": f"Bearer {wrong}"}, INVALID_API_KEY, "checksum"),
            ({"Authorization": key}, UNAUTHORIZED, "Put the word Bearer before the key"),
            ({"Authorization": "Bearer"}, UNAUTHORIZED, "Nothing follows the word Bearer"),
            ({"X-Api-Key": key}, UNAUTHORIZED, "X-Api-Key is not read here"),
        ):
            with self.subTest(hint):
                reply = self.server.http("GET", "/v1/conversations", headers)
                self.assertEqual(reply.status, 401)
                told = reply.json()["error"]
                self.assertEqual({"code": told["code"], "message": told["message"]}, error)
                self.assertIn(hint.lower(), told["hint"].lower())

    def test_an_expired_token_gets_the_printed_error_and_a_forged_one_another(self):
        old = self.person(exp=int(time.time()) - 1)
        reply = self.call("GET", "/v1/consumer-avatars", None, old)
        told = reply.json()["error"]
        self.assertEqual(reply.status, 401)
        self.assertEqual({"code": told["code"], "message": told["message"]}, TOKEN_EXPIRED)
        head, payload, signature = self.person().split(".")
        forged = f"{head}.{payload}.{signature[:-4]}AAAA"
        self.assert_refused(self.call("GET", "/v1/consumer-avatars", None, forged), 401,
                            "TOKEN_INVALID")
        expired_and_forged = self.issuer.stranger.token(
            {"iss": f"https://securetoken.google.com/{PROJECT}", "exp": 1}, kid="first")
        self.assert_refused(self.call("GET", "/v1/consumer-avatars", None, expired_and_forged),
                            401, "TOKEN_INVALID")

    def test_403_for_a_person_who_may_not(self):
        for method, path, body in GUARDED[:8]:
            self.assert_refused(self.call(method, path, body, self.person()), 403, "FORBIDDEN")


class Wrong(OneStage):
    settings = "[keys]\naccept_test = false\n"

    def test_a_test_key_where_live_keys_are_taken_is_told_so(self):
        self.server.start()
        reply = self.server.http("GET", "/v1/conversations", bearer(self.server.api_key))
        self.assertEqual(reply.status, 401)
        told = reply.json()["error"]
        self.assertEqual({"code": told["code"], "message": told["message"]}, INVALID_API_KEY)
        self.assertIn("live keys", told["hint"])


class Limited(OneStage):
    settings = '[limits]\napi_key_free = "6/min burst 2"\nstranger = "6/min burst 2"\n'

    def test_429_comes_in_the_doors_shape_with_the_limits_headers(self):
        self.server.start()
        for path, headers in (("/v1/conversations", bearer(self.server.api_key)),
                              ("/v1/avatars", {})):
            for left in ("1", "0"):
                reply = self.server.http("GET", path, headers)
                self.assertEqual(reply.status, 200)
                self.assertEqual(reply.headers["X-RateLimit-Limit"], "2")
                self.assertEqual(reply.headers["X-RateLimit-Remaining"], left)
                self.assertTrue(reply.headers["X-RateLimit-Reset"].isdigit())
            reply = self.server.http("GET", path, headers)
            self.assertEqual(reply.status, 429)
            self.assertEqual(reply.json()["error"]["code"], "RATE_LIMITED")
            self.assertTrue(1 <= int(reply.headers["Retry-After"]) <= 10)


class Open(AvatariumCase):
    def test_health_answers_under_both_paths(self):
        for path in ("/health", "/v1/health"):
            self.assertEqual(self.data_of(self.server.http("GET", path)), {"status": "ok"})

    def test_the_presets_are_what_is_built_in(self):
        avatars = self.data_of(self.server.http("GET", "/v1/avatars"))
        self.assertIn("Cara", [avatar["name"] for avatar in avatars])
        for avatar in avatars:
            one = self.data_of(self.server.http("GET", "/v1/avatars/" + avatar["id"]))
            self.assertEqual(one, avatar)
            model = self.data_of(self.server.http("GET", f"/v1/avatars/{avatar['id']}/model"))
            path = model["url"].removeprefix(self.server.address)
            self.assertEqual(self.server.http("GET", path).status, 200)

    def test_404_for_a_preset_that_is_none_also_for_an_avatar_of_a_workspace(self):
        for path in ("", "/model"):
            for avatar in (NOBODY, self.server.avatar_id):
                self.assert_refused(self.server.http("GET", f"/v1/avatars/{avatar}{path}"), 404,
                                    "NOT_FOUND")

    def test_the_list_of_voices_has_none_that_can_not_be_heard(self):
        self.assertEqual(self.data_of(self.server.http("GET", "/v1/tts/voices")), [])
        reply = self.server.http("GET", "/v1/tts/voices?provider=elevenlabs")
        self.assertEqual(self.data_of(reply), [])
        self.assert_refused(self.server.http("GET", "/v1/tts/voices?provider=x"), 400,
                            "BAD_REQUEST", "provider")


class Conversations(AvatariumCase):
    def test_one_is_begun_read_ended_and_deleted(self):
        begun = self.begin(avatarId=self.server.avatar_id, provider="groq", systemPrompt="Be kind.")
        self.assertEqual(begun["avatarId"], self.server.avatar_id)
        self.assertEqual(begun["wsUrl"],
                         f"ws://127.0.0.1:{self.server.port}/v1/conversations/{begun['id']}/ws")
        self.assertIs(begun["byokEnabled"], False)
        path = "/v1/conversations/" + begun["id"]
        read = self.data_of(self.call("GET", path))
        self.assertEqual(read, {"id": begun["id"], "avatarId": begun["avatarId"], "messages": [],
                                "createdAt": begun["createdAt"], "endedAt": None})
        ended = self.data_of(self.call("POST", path + "/end"))
        self.assertTrue(ended["endedAt"])
        again = self.data_of(self.call("POST", path + "/end"))
        self.assertEqual(again["endedAt"], ended["endedAt"])
        reply = self.call("DELETE", path)
        self.assertEqual(self.data_of(reply), {"deleted": True})
        self.assertIs(reply.json()["deleted"], True)
        for method, end in (("GET", ""), ("POST", "/end"), ("DELETE", "")):
            self.assert_refused(self.call(method, path + end), 404, "NOT_FOUND")

    def test_no_avatar_named_means_the_built_in_one(self):
        self.assertEqual(self.begin()["avatarId"], "30fa96d0-26c4-4e55-94a0-517025942e18")

    def test_the_older_spelling_is_read(self):
        begun = self.begin(avatar_id="aria-001", ai_provider="openai", tts_provider="google",
                           system_prompt="x")
        self.assertEqual(begun["avatarId"], "aria-001")

    def test_the_list_has_the_newest_first_and_goes_on(self):
        ids = [self.begin()["id"] for _ in range(3)]
        first = self.call("GET", "/v1/conversations?limit=2")
        self.assertEqual([one["id"] for one in self.data_of(first)][0], ids[2])
        cursor = first.json()["next"]
        self.assertEqual(cursor, ids[1])
        rest = self.data_of(self.call("GET", f"/v1/conversations?limit=1&cursor={cursor}"))
        self.assertEqual([one["id"] for one in rest], [ids[0]])

    def test_400_names_the_member(self):
        for body, field in (({"provider": "x"}, "provider"), ({"avatarId": 7}, "avatarId"),
                            ({"system_prompt": "x" * 2001}, "system_prompt"),
                            ({"byokAI": {"provider": "groq"}}, "byokAI.apiKey")):
            self.assert_refused(self.call("POST", "/v1/conversations", body), 400, "BAD_REQUEST",
                                hint=field, field=field)
        self.assert_refused(self.call("POST", "/v1/conversations", "{"), 400, "BAD_REQUEST")
        for query in ("limit=0", "limit=101", "limit=x", "environment=x"):
            self.assert_refused(self.call("GET", "/v1/conversations?" + query), 400, "BAD_REQUEST")

    def test_404_for_an_avatar_that_is_not_there(self):
        self.assert_refused(self.call("POST", "/v1/conversations", {"avatarId": NOBODY}), 404,
                            "NOT_FOUND", "avatarId")

    def test_501_for_a_key_of_another_provider_which_is_not_kept(self):
        body = {"byokAI": {"provider": "groq", "apiKey": "gsk_whispered"}}
        self.assert_refused(self.call("POST", "/v1/conversations", body), 501, "NOT_IMPLEMENTED",
                            field="byokAI")
        self.assertNotIn("whispered", self.server.log())
        for file in self.server.data.glob("stagedoor.db*"):
            self.assertNotIn(b"whispered", file.read_bytes())

    def test_what_belongs_to_another_app_or_environment_is_as_nothing(self):
        """Rule conversation-of-one-app."""
        begun = self.begin()
        app = self.server.second_app()
        foreign = json.loads(self.server.must("key", "create", "--app", app, "--json"))["api_key"]
        live = json.loads(self.server.must("key", "create", "--app", self.server.app_id, "--live",
                                           "--json"))["api_key"]
        for key in (foreign, live):
            wait_until(lambda: self.call("GET", "/v1/conversations", None, key).status == 200,
                       "the key to be known")
            self.assertEqual(self.data_of(self.call("GET", "/v1/conversations", None, key)), [])
            for method, end, body in (("GET", "", None), ("DELETE", "", None),
                                      ("POST", "/end", None),
                                      ("POST", "/messages", {"content": "x"})):
                theirs = self.call(method, f"/v1/conversations/{begun['id']}{end}", body, key)
                nothing = self.call(method, f"/v1/conversations/{NOBODY}{end}", body, key)
                self.assert_refused(theirs, 404, "NOT_FOUND")
                self.assertEqual(theirs.json()["error"], nothing.json()["error"])
        self.assertEqual(self.call("GET", "/v1/conversations/" + begun["id"]).status, 200)


class Engines(AvatariumCase):
    def test_501_for_a_reply_only_after_everything_was_checked(self):
        path = f"/v1/conversations/{self.begin()['id']}/messages"
        for body, field in (({}, "content"), ({"content": ""}, "content"),
                            ({"content": "x" * 5001}, "content"),
                            ({"content": "x", "ttsProvider": "y"}, "ttsProvider")):
            self.assert_refused(self.call("POST", path, body), 400, "BAD_REQUEST", field=field)
        body = {"content": "Hello", "generateTTS": True, "ttsProvider": "google", "voice": "v"}
        self.assert_refused(self.call("POST", path, body), 501, "NOT_IMPLEMENTED", "replies")
        self.assert_refused(self.call("POST", path, {"content": "Hello", "stream": True}), 501,
                            "NOT_IMPLEMENTED")
        missing = f"/v1/conversations/{NOBODY}/messages"
        self.assert_refused(self.call("POST", missing, body), 404, "NOT_FOUND")

    def test_409_for_a_message_to_a_conversation_that_has_ended(self):
        path = f"/v1/conversations/{self.begin()['id']}"
        self.call("POST", path + "/end")
        self.assert_refused(self.call("POST", path + "/messages", {"content": "x"}), 409,
                            "CONFLICT", "ended")

    def test_501_for_sound_only_after_everything_was_checked(self):
        for body, field in (({}, "text"), ({"text": "x", "provider": "y"}, "provider")):
            self.assert_refused(self.call("POST", "/v1/tts", body), 400, "BAD_REQUEST", field=field)
        self.assert_refused(self.call("POST", "/v1/tts", {"text": "Hello", "provider": "google"}),
                            501, "NOT_IMPLEMENTED", "speaks")
        self.assert_refused(self.call("POST", "/v1/tts/preview", {"voice": 7}), 400, "BAD_REQUEST",
                            field="voice")
        self.assert_refused(self.call("POST", "/v1/tts/preview", {}), 501, "NOT_IMPLEMENTED")


class ConsumerAvatars(AvatariumCase):
    BODY = {"slug": "my-avatar", "name": "Mine", "avatarModelUrl": "https://example.com/a.glb",
            "tagline": "t", "voiceGender": "female", "ttsProvider": "groq", "aiProvider": "groq",
            "aiModel": "llama-3.3-70b-versatile", "voiceChatEnabled": True, "traits": ["kind"],
            "tone": "professional", "avatarBody": "F", "personality": "p", "greeting": "g"}

    def test_a_person_without_a_workspace_makes_and_lists_their_own(self):
        person, other = self.person("p1"), self.person("p2")
        made = self.data_of(self.call("POST", "/v1/consumer-avatars", self.BODY, person))
        self.assertEqual(len(made["shortId"]), 11)
        self.assertEqual((made["slug"], made["name"], made["voiceChatEnabled"]),
                         ("my-avatar", "Mine", True))
        self.assertTrue(made["url"].endswith("/a/" + made["shortId"]))
        listed = self.call("GET", "/v1/consumer-avatars", None, person)
        self.assertEqual(self.data_of(listed), [made])
        self.assertIs(listed.json()["hasAccount"], False)
        self.assertEqual(self.data_of(self.call("GET", "/v1/consumer-avatars", None, other)), [])
        self.data_of(self.call("POST", "/v1/consumer-avatars", self.BODY, other))
        self.assert_refused(self.call("POST", "/v1/consumer-avatars", self.BODY, person), 409,
                            "CONFLICT", "slug")

    def test_400_names_the_member(self):
        for change, field in (({"slug": None}, "slug"), ({"slug": "No Blanks"}, "slug"),
                              ({"name": None}, "name"), ({"avatarModelUrl": 7}, "avatarModelUrl"),
                              ({"isPublic": 1}, "isPublic")):
            self.assert_refused(
                self.call("POST", "/v1/consumer-avatars", {**self.BODY, **change}, self.person()),
                400, "BAD_REQUEST", field=field)

    def test_401_for_an_api_key_which_is_no_person(self):
        for method, body in (("GET", None), ("POST", self.BODY)):
            reply = self.call(method, "/v1/consumer-avatars", body)
            self.assert_refused(reply, 401, "UNAUTHORIZED", "a person's token",
                                UNAUTHORIZED["message"])


class Plumbing(AvatariumCase):
    def test_404_405_and_413_come_in_the_same_shape(self):
        for path in ("/v1/conversations/x/nothing", "/v1/tts/x/y"):
            self.assert_refused(self.call("GET", path), 404, "NOT_FOUND")
        for path in ("/v1/conversations", "/v1/tts", "/v1/consumer-avatars", "/health",
                     "/v1/health"):
            reply = self.call("PATCH", path)
            self.assert_refused(reply, 405, "METHOD_NOT_ALLOWED")
            self.assertTrue(reply.headers["Allow"])
        self.assert_refused(self.call("POST", "/v1/tts", "x" * (1 << 20 | 1)), 413,
                            "PAYLOAD_TOO_LARGE")


if __name__ == "__main__":
    main()
