"""A test key forces, by documented values, what live use can only wait for.

SPDX-License-Identifier: Apache-2.0
"""

import json
import pathlib
import re
import unittest

from cases import MotionClient, Stage, main, silence, wait_until
from motion_messages import Animation, Error
from raw_websocket import Refusal

AVATAR = "7e570000-0000-4000-8000-000000000{:03}"
MINTING = {401: 401, 402: 402, 403: 403, 429: 429, 503: 503}
CONNECTING = {
    101: (401, "expired", "connect-expired"),
    102: (400, "Invalid session token", "connect-spent"),
    103: (402, "minutes", "connect-402"),
    104: (429, "Concurrency", "connect-429"),
    105: (503, "did not answer", "connect-503"),
}
ENDING = {
    201: (4002, 4002, "session time limit reached", "session-length", "length_reached"),
    202: (4, 1000, "no audio input for", "session-idle", "idle"),
    203: (None, 4010, "revoked", "session-revoked", "revoked"),
    204: (None, 1001, "shutting down", "session-going-away", "shutting_down"),
    205: (4001, 4001, "credits exhausted", "session-minutes", "minutes_used_up"),
}
# At the engine of a live face: status and `error`; and the words of `endsession`.
CONNECTING_TO_A_FACE = {
    101: (401, "Token expired"),
    102: (401, "Token used"),
    103: (429, "Spend cap reached"),
    104: (429, "Concurrent session limit reached"),
    105: (503, "Service Unavailable"),
}
ENDING_A_FACE = {
    201: "maximum length",
    202: "too long",
    203: "revoked",
    204: "shutting down",
    205: "minutes of this month",
}


class TestMode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Stage().__enter__()
        cls.addClassCleanup(cls.server.close)
        made = json.loads(cls.server.must("key", "create", "--live", "--name", "l", "--json"))
        cls.live_key = made["api_key"]
        wait_until(lambda: cls.server.mint(cls.live_key).status == 200, "the live key to work")

    def mint(self, key=None, **members):
        key = key or self.server.api_key
        headers = {"Authorization": f"Bearer {key}"}
        return self.server.http("POST", "/v1/session-tokens", headers, members)

    def mint_persona(self, key, avatar_id):
        headers = {"Authorization": f"Bearer {key}"}
        persona = {"avatarId": avatar_id}
        return self.server.http("POST", "/v1/auth/session-token", headers,
                                {"personaConfig": persona})

    def token(self, **members):
        reply = self.mint(**members)
        self.assertEqual(reply.status, 201, reply.body)
        return reply.json()["session_token"]

    # Rule test-mode-forces-refusals.
    def test_minting_is_refused_as_asked_in_each_dialect(self):
        for number, status in MINTING.items():
            with self.subTest(number=number):
                by_avatar = self.mint(avatar_id=AVATAR.format(number))
                by_user = self.mint(end_user_id=f"test-force-mint-{number}")
                for reply in (by_avatar, by_user):
                    self.assertEqual(reply.status, status, reply.body)
                    self.assertEqual(reply.json()["status"], status)
                console = self.server.mint(avatarId=AVATAR.format(number))
                self.assertEqual(console.status, status)
                self.assertEqual(console.json()["errors"][0]["status"], status)
                third = self.mint_persona(self.server.api_key, AVATAR.format(number))
                used_up = status == 402  # which this dialect tells by other words
                self.assertEqual(third.status, 429 if used_up else status)
                self.assertEqual(third.json()["error"] == "Spend cap reached", used_up)
                self.assertLessEqual({"error", "message"}, set(third.json()))
                fourth = self.server.http("POST", "/v1/conversations", {
                    "Authorization": f"Bearer {self.server.api_key}"},
                    {"avatarId": AVATAR.format(number)})
                self.assertEqual(fourth.status, status, fourth.body)
                self.assertIn("code", fourth.json()["error"])
                if status == 429:
                    for reply in (by_avatar, console, third, fourth):
                        self.assertEqual(reply.headers["Retry-After"], "1")

    # Rule test-mode-forces-refusals.
    def test_connecting_is_refused_as_asked_and_the_token_stays_unspent(self):
        for number, (status, words, name) in CONNECTING.items():
            with self.subTest(number=number):
                token = self.token()
                by_avatar = self.server.knock(token, avatar=AVATAR.format(number))
                by_user = self.server.knock(self.token(end_user_id=f"test-force-{name}"))
                for refusal in (by_avatar, by_user):
                    self.assertIsInstance(refusal, Refusal)
                    self.assertEqual(refusal.status, status)
                    self.assertIn(words, json.loads(refusal.body)["message"])
                    if status == 429:
                        self.assertEqual(refusal.headers["retry-after"], "5")
                self.assertTrue(self.server.is_admitted(token))

    def face_token(self, **end_user):
        """A token of a live face, of the avatar or the end user that forces something."""
        if "avatar_id" in end_user:
            reply = self.mint_persona(self.server.api_key, end_user["avatar_id"])
            self.assertEqual(reply.status, 200, reply.body)
            return reply.json()["sessionToken"]
        return self.token(persona_id=self.persona(), **end_user)

    def persona(self):
        bearer = {"Authorization": f"Bearer {self.server.api_key}"}
        body = {"name": "Ada", "avatarId": self.server.avatar_id}
        made = self.server.http("POST", "/v1/personas", bearer, body)
        self.assertEqual(made.status, 201, made.body)
        return made.json()["id"]

    def engine(self, token):
        return self.server.http("POST", "/v1/engine/session", {"Authorization": f"Bearer {token}"},
                                {"clientMetadata": {}})

    # Rule test-mode-forces-refusals.
    def test_a_face_is_refused_as_asked_and_the_token_stays_unspent(self):
        for number, (status, error) in CONNECTING_TO_A_FACE.items():
            name = f"test-force-{CONNECTING[number][2]}"
            for how in ({"avatar_id": AVATAR.format(number)}, {"end_user_id": name}):
                with self.subTest(number=number, **how):
                    token = self.face_token(**how)
                    for _ in range(2):
                        reply = self.engine(token)
                        self.assertEqual((reply.status, reply.json()["error"]), (status, error))
                        if number == 104:
                            self.assertEqual(reply.headers["Retry-After"], "5")

    # Rule test-mode-same-code.
    def test_a_session_ends_as_asked_after_its_first_sound(self):
        for number, (code, close_code, words, name, reason) in ENDING.items():
            for how in ("avatar", "user"):
                with self.subTest(number=number, how=how):
                    if how == "avatar":
                        avatar = AVATAR.format(number)
                        websocket = self.server.knock(self.token(avatar_id=avatar), avatar=avatar)
                    else:
                        websocket = self.server.knock(self.token(end_user_id=f"test-force-{name}"))
                    self.assertNotIsInstance(websocket, Refusal)
                    session = MotionClient(websocket)
                    session.configure()
                    session.say("one", silence(0.5))
                    said = session.receive()
                    while isinstance(said, Animation):
                        said = session.receive()
                    self.assertIsInstance(said, Error)
                    self.assertIn(words, said.text)
                    if code is not None:
                        self.assertEqual(said.code, code)
                    self.assertEqual(websocket.wait_until_closed().code, close_code)
                    ended = self.server.wait_for_log(
                        "session.ended", session_id=session.connection_id
                    )
                    self.assertEqual((ended["reason"], ended["environment"]), (reason, "test"))
        self.assertTrue(self.server.session().still_serves(), "the server itself goes on")

    # Rule test-mode-forces-refusals.
    def test_to_a_live_key_the_avatars_are_unknown_and_the_end_users_like_any_others(self):
        for number in (*MINTING, *CONNECTING, *ENDING):
            self.assertEqual(self.mint(self.live_key, avatar_id=AVATAR.format(number)).status, 404)
            self.assertEqual(self.mint_persona(self.live_key, AVATAR.format(number)).status, 400)
        reply = self.mint(self.live_key, end_user_id="test-force-mint-402")
        self.assertEqual(reply.status, 201)
        token = self.mint(self.live_key, end_user_id="test-force-connect-503").json()
        self.assertTrue(self.server.is_admitted(token["session_token"]))
        token = self.mint(self.live_key).json()["session_token"]
        refusal = self.server.knock(token, avatar=AVATAR.format(101))
        self.assertEqual(refusal.status, 404)

    def test_the_guide_has_a_line_for_each_value(self):
        guide = pathlib.Path(__file__).parents[2] / "docs/guide/test-mode.md"
        rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", guide.read_text(), re.M)
        names = [f"mint-{number}" for number in MINTING]
        names += [row[2] for row in CONNECTING.values()] + [row[3] for row in ENDING.values()]
        wanted = [(AVATAR.format(n), f"test-force-{name}")
                  for n, name in zip((*MINTING, *CONNECTING, *ENDING), names)]
        self.assertEqual(sorted(rows), sorted(wanted))


if __name__ == "__main__":
    main()
