"""POST /v1/auth/session-token, against the real binary: Anam's way to a session token.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import sqlite3
import threading
import time
import unittest

from cases import OneStage, Stage, bearer, claims_of, main
from mint_test import made_up_key

PATH = "/v1/auth/session-token"
CARA = "30fa96d0-26c4-4e55-94a0-517025942e18"
# The body of the vendor's page, as printed there.
PRINTED = {
    "name": "Cara",
    "avatarId": CARA,
    "voiceId": "6bfbe25a-979d-40f3-a92b-5394170af54b",
    "llmId": "a7cf662c-2ace-4de1-a21e-ef0fbf144bb7",
    "systemPrompt": "You are a helpful assistant.",
}
SHAPE = {"error", "message"}


def rows_in(server, table):
    with contextlib.closing(sqlite3.connect(server.data / "stagedoor.db")) as store:
        return store.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


class AnamCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Stage().__enter__()
        cls.addClassCleanup(cls.server.close)

    def post(self, body, headers=None):
        headers = bearer(self.server.api_key) if headers is None else headers
        return self.server.http("POST", PATH, headers, body)

    def mint(self, config, **members):
        return self.post({"personaConfig": config, **members})

    def minted(self, config, **members):
        reply = self.mint(config, **members)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Cache-Control"], "no-store")
        return reply.json()["sessionToken"]

    def assert_refused(self, reply, status, error, words="", path=None, code=None):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        # A page must be able to read why.
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "*")
        body = reply.json()
        self.assertEqual(set(body) - {"details", "summary"}, SHAPE)
        self.assertEqual(body["error"], error)
        self.assertTrue(body["message"])
        self.assertIn(words, body["message"])
        if path is not None:
            faults = {fault["path"]: fault for fault in body["details"]}
            self.assertIn(path, faults)
            self.assertEqual(set(faults[path]), {"path", "message", "code"})
            self.assertIn(path, body["summary"])
            if code:
                self.assertEqual(faults[path]["code"], code)
        self.assertNotIn(b"sessionToken", reply.body)


class Minting(AnamCase):
    def test_the_body_of_the_vendors_page_mints_as_it_is_printed(self):
        """Rule built-in-ids."""
        before = time.time()
        claims = claims_of(self.minted(PRINTED))
        self.assertEqual(claims["type"], "ephemeral")
        self.assertEqual(claims["accountId"], self.server.initialised["workspace_id"])
        self.assertEqual(claims["avatar"], CARA)
        self.assertAlmostEqual(claims["exp"], before + 3600, delta=30)

    def test_all_ids_that_the_vendors_documents_print_are_built_in(self):
        """Rule built-in-ids."""
        for member, ids in {
            "avatarId": [CARA, "071b0286-4cce-4808-bee2-e642f1062de3"],
            "voiceId": [PRINTED["voiceId"], "de23e340-1416-4dd8-977d-065a7ca11697"],
            "llmId": [
                PRINTED["llmId"],
                "0934d97d-0c3a-4f33-91b0-5e136a0ef466",
                "7736a22f-2d79-4720-952c-25fdca55ad40",
                "CUSTOMER_CLIENT_V1",
            ],
        }.items():
            for one in ids:
                self.minted({**PRINTED, member: one})

    def test_the_token_says_nothing_of_what_the_persona_says_or_is(self):
        """Rule session-token-no-persona."""
        token = self.minted({**PRINTED, "systemPrompt": "the secret of the house"})
        claims = json.dumps(claims_of(token))
        for word in ("secret", "Prompt", PRINTED["voiceId"], PRINTED["llmId"], "Cara"):
            self.assertNotIn(word, claims)
        self.assertEqual(len(claims_of(token)["persona"]), 43)

    def test_the_answer_says_what_was_applied(self):
        body = self.mint({**PRINTED, "maxSessionLengthSeconds": 90}).json()
        self.assertEqual(body["maxSessionLengthSeconds"], 90)
        self.assertRegex(body["expiresAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(claims_of(body["sessionToken"])["leash"]["length"], 90)

    def test_a_length_beyond_the_apps_own_is_cut_to_it(self):
        body = self.mint({**PRINTED, "maxSessionLengthSeconds": 86400}).json()
        self.assertEqual(body["maxSessionLengthSeconds"], 7200)

    def test_everything_the_contract_lists_is_accepted(self):
        token = self.minted(
            {
                **PRINTED,
                "type": "ephemeral",
                "avatarModel": "cara-4-latest",
                "skipGreeting": True,
                "uninterruptibleGreeting": False,
                "initialMessage": None,
                "voiceDetectionOptions": {
                    "endOfSpeechSensitivity": 0.5,
                    "silenceBeforeSkipTurnSeconds": 5,
                    "silenceBeforeSessionEndSeconds": 60,
                    "silenceBeforeAutoEndTurnSeconds": 5,
                    "speechEnhancementLevel": 0.8,
                },
                "languageCode": "en",
                "voiceGenerationOptions": {"stability": 0.4, "speed": 1.1},
                "directorNotes": {"presetStyle": "warm", "expressivity": 0.7},
                "toolIds": [],
                "tools": [
                    {"type": "client", "name": "show", "description": "Shows.", "awaitResult": True,
                     "parameters": {"type": "object", "properties": {"x": {"type": "string"}}}},
                    {"type": "server", "subtype": "webhook", "name": "ask", "description": "Asks.",
                     "url": "https://example.com/hook", "method": "POST",
                     "headers": {"X-Key": "k"}, "awaitResponse": True},
                    {"type": "system", "name": "end", "description": "Ends."},
                ],
                "enableAudioPassthrough": True,
                "zeroDataRetention": True,
                "somethingNobodyKnows": {"deep": [1]},
            },
            clientLabel="js-sdk-api-key",
            sessionOptions={
                "sessionReplay": {"enableSessionReplay": False},
                "videoQuality": "auto",
                "videoWidth": 720,
                "videoHeight": 480,
            },
            environment={},
            expiresIn="1h",
            widgetConfig={"layout": "inline"},
        )
        self.assertEqual(claims_of(token)["label"], "js-sdk-api-key")

    def test_the_older_name_of_the_language_model_is_read(self):
        self.minted({"brainType": "CUSTOMER_CLIENT_V1"})
        self.assert_refused(
            self.mint({"brainType": "ANAM_GPT"}), 400, "Bad Request", path="personaConfig.llmId"
        )

    def test_an_avatar_of_the_workspace_may_be_named(self):
        token = self.minted({"avatarId": self.server.avatar_id})
        self.assertEqual(claims_of(token)["avatar"], self.server.avatar_id)

    def test_equal_content_has_one_address_however_it_is_written(self):
        one = claims_of(self.minted({"name": "x", "systemPrompt": "y", "toolIds": [],
                                     "voiceSpeed": 1}))
        same = self.post('{"personaConfig": {"voiceSpeed": 1.0, "toolIds":[], "initialMessage":'
                         'null, "systemPrompt": "\\u0079", "name":"x", "unknown": 1}}')
        other = claims_of(self.minted({"name": "x", "systemPrompt": "z"}))
        self.assertEqual(one["persona"], claims_of(same.json()["sessionToken"])["persona"])
        self.assertNotEqual(one["persona"], other["persona"])

    def test_options_of_the_session_are_part_of_what_was_minted(self):
        one = claims_of(self.minted(PRINTED))
        other = claims_of(self.minted(PRINTED, sessionOptions={"videoQuality": "high"}))
        self.assertNotEqual(one["persona"], other["persona"])

    def test_minting_the_same_persona_again_writes_nothing(self):
        """Rule persona-snapshot-stored-once."""
        config = {**PRINTED, "systemPrompt": "once"}
        before = rows_in(self.server, "persona_snapshots")
        tokens = set()
        together = []
        for _ in range(8):
            thread = threading.Thread(target=lambda: tokens.add(self.minted(config)))
            together.append(thread)
            thread.start()
        for thread in together:
            thread.join()
        for _ in range(20):
            tokens.add(self.minted(config))
        self.assertEqual(len(tokens), 28)
        self.assertEqual(rows_in(self.server, "persona_snapshots"), before + 1)

    def test_a_token_of_a_persona_opens_no_motion_session(self):
        """Rule session-token-bound."""
        token = self.minted({"avatarId": self.server.avatar_id})
        self.assertEqual(self.server.knock(token).status, 400)


class Pages(AnamCase):
    def test_a_page_of_any_origin_may_ask_and_read(self):
        reply = self.server.http("OPTIONS", PATH, {
            "Origin": "https://example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        })
        self.assertEqual(reply.status, 204)
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "*")
        self.assertEqual(reply.headers["Access-Control-Allow-Methods"], "POST")
        allowed = reply.headers["Access-Control-Allow-Headers"].lower()
        self.assertIn("authorization", allowed)
        self.assertIn("content-type", allowed)
        self.assertIsNone(reply.headers["Access-Control-Allow-Credentials"])
        minted = self.mint(PRINTED)
        self.assertEqual(minted.headers["Access-Control-Allow-Origin"], "*")


class Refusals(AnamCase):
    """Rule persona-checked-at-minting."""

    def refused(self, config, path, code=None, **members):
        self.assert_refused(
            self.mint(config, **members), 400, "Bad Request", path=path, code=code
        )

    def test_400_names_each_reference_that_leads_nowhere(self):
        """Rule persona-checked-at-minting."""
        for member, value, path in (
            ("avatarId", "00000000-0000-4000-8000-000000000000", "avatarId"),
            ("voiceId", "nobody", "voiceId"),
            ("llmId", "00000000-0000-4000-8000-000000000000", "llmId"),
            ("toolIds", ["t1"], "toolIds[0]"),
        ):
            self.refused({**PRINTED, member: value}, f"personaConfig.{path}", "unknown_reference")
        self.refused({"personaId": "none"}, "personaConfig.personaId", "unknown_reference")

    def test_400_for_an_avatar_of_another_workspace_is_that_for_none(self):
        self.server.insert("workspaces", "ws_other", "Other", 0)
        foreign = self.server.second_avatar("ws_other")
        reply = self.mint({"avatarId": foreign})
        missing = self.mint({"avatarId": foreign[::-1]})
        self.assertEqual(reply.status, 400)
        self.assertEqual(reply.body, missing.body)

    def test_400_names_each_member_out_of_its_range(self):
        for change, path in (
            ({"avatarModel": "cara-9"}, "avatarModel"),
            ({"name": 7}, "name"),
            ({"name": "x" * 257}, "name"),
            ({"systemPrompt": "x" * 50_001}, "systemPrompt"),
            ({"languageCode": "english"}, "languageCode"),
            ({"languageCode": "xx"}, "languageCode"),
            ({"maxSessionLengthSeconds": 0}, "maxSessionLengthSeconds"),
            ({"maxSessionLengthSeconds": 86401}, "maxSessionLengthSeconds"),
            ({"maxSessionLengthSeconds": 1.5}, "maxSessionLengthSeconds"),
            ({"skipGreeting": "yes"}, "skipGreeting"),
            ({"voiceDetectionOptions": []}, "voiceDetectionOptions"),
            ({"voiceDetectionOptions": {"endOfSpeechSensitivity": 1.1}},
             "voiceDetectionOptions.endOfSpeechSensitivity"),
            ({"voiceDetectionOptions": {"silenceBeforeSkipTurnSeconds": 901}},
             "voiceDetectionOptions.silenceBeforeSkipTurnSeconds"),
            ({"voiceDetectionOptions": {"silenceBeforeSessionEndSeconds": 7201}},
             "voiceDetectionOptions.silenceBeforeSessionEndSeconds"),
            ({"voiceDetectionOptions": {"silenceBeforeAutoEndTurnSeconds": 0.4}},
             "voiceDetectionOptions.silenceBeforeAutoEndTurnSeconds"),
            ({"voiceDetectionOptions": {"speechEnhancementLevel": -1}},
             "voiceDetectionOptions.speechEnhancementLevel"),
            ({"voiceGenerationOptions": {"speed": 9}}, "voiceGenerationOptions.speed"),
            ({"directorNotes": {"presetStyle": "furious"}}, "directorNotes.presetStyle"),
            ({"directorNotes": {"presetStyle": "sad", "customStylePrompt": "x"}},
             "directorNotes.customStylePrompt"),
            ({"directorNotes": {"customStylePrompt": "x" * 2001}},
             "directorNotes.customStylePrompt"),
            ({"tools": [{"type": "nonsense", "name": "x"}]}, "tools[0].type"),
            ({"tools": [{"type": "client", "name": "no blanks"}]}, "tools[0].name"),
            ({"tools": [{"type": "client"}]}, "tools[0].name"),
            ({"tools": [{"type": "server", "name": "x"}]}, "tools[0].subtype"),
            ({"tools": [{"type": "server", "name": "x", "subtype": "hook", "url": "https://x"}]},
             "tools[0].subtype"),
            ({"tools": [{"type": "server", "name": "x", "subtype": "webhook"}]}, "tools[0].url"),
            ({"tools": [{"type": "server", "name": "x", "subtype": "webhook", "url": "ftp://x"}]},
             "tools[0].url"),
            ({"tools": [{"type": "server", "name": "x", "subtype": "knowledge",
                         "documentFolderIds": ["d"]}]}, "tools[0].documentFolderIds"),
            ({"tools": [{"type": "client", "name": "x", "toolTimeoutSeconds": 601}]},
             "tools[0].toolTimeoutSeconds"),
            ({"tools": [{"type": "client", "name": "x", "parameters": {"x": "y" * 10_000}}]},
             "tools[0].parameters"),
        ):
            with self.subTest(change=str(change)[:100]):
                self.refused({**PRINTED, **change}, f"personaConfig.{path}")

    def test_400_names_each_option_of_the_session_out_of_its_range(self):
        for options, path in (
            ({"videoQuality": "best"}, "videoQuality"),
            ({"videoWidth": 720}, "videoHeight"),
            ({"videoHeight": 480}, "videoWidth"),
            ({"videoWidth": 1, "videoHeight": 480}, "videoWidth"),
            ({"sessionReplay": {"enableSessionReplay": 1}}, "sessionReplay.enableSessionReplay"),
        ):
            self.refused(PRINTED, f"sessionOptions.{path}", sessionOptions=options)
        self.refused(PRINTED, "clientLabel", clientLabel="x" * 129)

    def test_400_for_media_that_should_go_where_we_do_not_send_any(self):
        self.refused(PRINTED, "sessionOptions.egress", "unsupported",
                     sessionOptions={"egress": {"mode": "daily", "daily": {"roomUrl": "x"}}})
        self.refused(PRINTED, "environment.livekitUrl", "unsupported",
                     environment={"livekitUrl": "wss://x", "livekitToken": "t"})

    def test_400_tells_all_that_is_wrong_at_once(self):
        reply = self.mint({"avatarModel": "x", "voiceSpeed": 9, "voiceId": "v"}, clientLabel=1)
        self.assertEqual(
            {fault["path"] for fault in reply.json()["details"]},
            {"personaConfig.avatarModel", "personaConfig.voiceSpeed", "clientLabel"},
        )

    def test_400_for_a_body_that_names_no_persona(self):
        """The vendor mints a token that its own client then refuses."""
        for body in ({}, {"personaConfig": {}}, {"personaConfig": None},
                     {"personaConfig": {"id": "x"}}, {"personaConfig": {"name": "only a name"}}):
            self.assert_refused(self.post(body), 400, "Bad Request", path="personaConfig")

    def test_400_for_what_is_no_JSON_object(self):
        for body in ("", "{", "[]", "null", '{"a":1,"a":2}', "\x00"):
            self.assert_refused(self.post(body), 400, "Bad Request")

    def test_401_tells_the_holder_what_to_mend_and_a_stranger_nothing(self):
        key = self.server.api_key
        body = {"personaConfig": PRINTED}
        for headers, error, words in (
            ({}, "Unauthorized", "Bearer"),
            ({"Authorization": key}, "Unauthorized", "Put the word Bearer before the key"),
            ({"X-Api-Key": key}, "Unauthorized", "X-Api-Key is not read here"),
            (bearer(key + "x"), "Invalid API key", ""),
            (bearer(key[:-1] + ("A" if key[-1] != "A" else "B")), "Invalid API key", "checksum"),
            (bearer(made_up_key()), "Invalid API key", ""),
        ):
            self.assert_refused(self.post(body, headers), 401, error, words)

    def test_401_for_a_session_token_that_would_mint_another(self):
        token = self.minted(PRINTED)
        self.assert_refused(
            self.post({"personaConfig": PRINTED}, bearer(token)), 401, "Invalid token"
        )

    def test_404_405_and_413_come_in_the_same_shape(self):
        reply = self.server.http("GET", PATH, bearer(self.server.api_key))
        self.assert_refused(reply, 405, "Method Not Allowed")
        self.assertEqual(reply.headers["Allow"], "POST, OPTIONS")
        self.assert_refused(
            self.server.http("GET", PATH + "/x", bearer(self.server.api_key)), 404, "Not Found"
        )
        self.assert_refused(self.post("x" * (1 << 20 | 1)), 413, "Payload Too Large")

    def test_the_log_holds_nothing_of_a_refused_persona(self):
        self.mint({**PRINTED, "systemPrompt": "whispered words", "avatarModel": "whispered words"})
        entry = self.server.wait_for_log("session_token.mint_refused",
                                         member="personaConfig.avatarModel")
        self.assertNotIn("whispered", json.dumps(entry))
        self.assertNotIn("whispered", self.server.log())


class Limited(OneStage):
    settings = '[limits]\napi_key_free = "6/min burst 3"\n'

    def test_429_says_when_to_come_again_and_every_answer_how_much_is_left(self):
        self.server.start()
        headers = bearer(self.server.api_key)

        def mint(prompt):
            config = {**PRINTED, "systemPrompt": prompt}
            return self.server.http("POST", PATH, headers, {"personaConfig": config})

        # The first of each prompt is answered by a worker, the next one at once: each counts once.
        for prompt, left in (("a", "2"), ("a", "1"), ("b", "0")):
            reply = mint(prompt)
            self.assertEqual(reply.status, 200, reply.body)
            self.assertEqual(reply.headers["X-RateLimit-Limit"], "3")
            self.assertEqual(reply.headers["X-RateLimit-Remaining"], left)
            for name in ("X-RateLimit-Reset", "RateLimit", "RateLimit-Policy"):
                self.assertTrue(reply.headers[name])
        reply = mint("a")
        self.assertEqual(reply.status, 429)
        self.assertEqual(reply.json()["error"], "Too Many Requests")
        self.assertTrue(reply.json()["message"])
        self.assertTrue(1 <= int(reply.headers["Retry-After"]) <= 10)
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "*")
        self.assertIn("Retry-After", reply.headers["Access-Control-Expose-Headers"])


class Restarted(OneStage):
    def test_a_snapshot_outlives_the_server_and_is_not_stored_again(self):
        """Rule persona-snapshot-stored-once."""
        import signal

        self.server.start()
        body = {"personaConfig": PRINTED}
        headers = bearer(self.server.api_key)
        first = self.server.http("POST", PATH, headers, body).json()["sessionToken"]
        self.server.restart(signal.SIGKILL)
        self.assertEqual(rows_in(self.server, "persona_snapshots"), 1)
        again = self.server.http("POST", PATH, headers, body).json()["sessionToken"]
        self.assertEqual(claims_of(first)["persona"], claims_of(again)["persona"])
        self.assertEqual(rows_in(self.server, "persona_snapshots"), 1)


if __name__ == "__main__":
    main()
