"""/v1/personas, against the real binary: the personas of a workspace, in Anam's shapes.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import sqlite3

from anam_mint_test import CARA, PATH as MINT
from cases import AnamCase, NOBODY, bearer, claims_of, live_key, main

PATH = "/v1/personas"


class PersonaCase(AnamCase):
    path = PATH

    def create(self, **members):
        return self.created({"name": "Ada", **members})


class Keeping(PersonaCase):
    def test_201_gives_the_persona_as_it_is_kept(self):
        persona = self.create(
            description="d", avatarId=CARA, avatarModel="cara-4", systemPrompt="You are Ada.",
            skipGreeting=True, voiceDetectionOptions={"endOfSpeechSensitivity": 0.5},
        )
        self.assertEqual(persona["name"], "Ada")
        self.assertEqual(persona["avatar"]["id"], CARA)
        self.assertEqual(persona["avatar"]["displayName"], "Cara")
        self.assertEqual(persona["brain"]["systemPrompt"], "You are Ada.")
        self.assertIs(persona["skipGreeting"], True)
        self.assertEqual(persona["voiceDetectionOptions"], {"endOfSpeechSensitivity": 0.5})
        for member in ("personaPreset", "avatarModel", "voice", "voiceSpeed", "llmId", "tools",
                       "knowledge", "shareLinks", "primaryShareLink", "enableAudioPassthrough",
                       "zeroDataRetention", "voiceGenerationOptions", "widgetConfig", "createdAt",
                       "updatedAt"):
            self.assertIn(member, persona)
        for member in ("variantName", "imageUrl", "videoUrl"):
            self.assertIsInstance(persona["avatar"][member], str)
        self.assertEqual(self.call("GET", "/" + persona["id"]).json(), persona)

    def test_a_name_is_enough_and_the_rest_is_built_in(self):
        persona = self.create()
        self.assertEqual(persona["avatar"]["id"], CARA)
        self.assertTrue(persona["voice"]["id"])
        self.assertTrue(persona["llmId"])

    def test_the_first_persona_is_there_from_the_beginning(self):
        persona = self.call("GET", "/" + self.server.initialised["persona_id"])
        self.assertEqual(persona.status, 200, persona.body)
        self.assertEqual(persona.json()["avatar"]["id"], self.server.avatar_id)

    def test_PUT_changes_what_it_names(self):
        persona = self.create(systemPrompt="before", avatarModel="cara-3")
        reply = self.call("PUT", "/" + persona["id"],
                          {"systemPrompt": "after", "widgetConfig": {"layout": "inline"}})
        self.assertEqual(reply.status, 200, reply.body)
        changed = reply.json()
        self.assertEqual(changed["brain"]["systemPrompt"], "after")
        self.assertEqual(changed["widgetConfig"], {"layout": "inline"})
        self.assertEqual(changed["avatarModel"], "cara-3")
        self.assertEqual(changed["createdAt"], persona["createdAt"])

    def test_DELETE_takes_it_away(self):
        persona = self.create()
        reply = self.call("DELETE", "/" + persona["id"])
        self.assertEqual(reply.status, 200)
        self.assertIn("message", reply.json())
        for method, body in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)):
            self.assert_refused(self.call(method, "/" + persona["id"], body), 404, "Not Found")

    def test_lists_come_in_pages_the_newest_first(self):
        ids = [self.create(name=f"Page {i}")["id"] for i in range(3)]
        reply = self.call("GET", "?page=1&perPage=2&search=page")
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual([one["id"] for one in reply.json()["data"]], [ids[2], ids[1]])
        self.assertEqual(reply.json()["meta"], {
            "total": 3, "lastPage": 2, "currentPage": 1, "perPage": 2, "prev": None, "next": 2})
        last = self.call("GET", "?page=2&perPage=2&search=page").json()
        self.assertEqual([one["id"] for one in last["data"]], [ids[0]])
        self.assertEqual((last["meta"]["prev"], last["meta"]["next"]), (1, None))
        none = self.call("GET", "?search=nobody-has-this-name").json()
        self.assertEqual(none["data"], [])
        self.assertEqual(none["meta"]["lastPage"], 1)

    def test_changes_stand_in_the_audit_log(self):
        persona = self.create()
        self.call("PUT", "/" + persona["id"], {"name": "Eva"})
        self.call("DELETE", "/" + persona["id"])
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            rows = store.execute(
                "SELECT action FROM audit_log WHERE subject = ? ORDER BY number", [persona["id"]])
            self.assertEqual([row[0] for row in rows],
                             ["persona.create", "persona.change", "persona.remove"])


class Minting(PersonaCase):
    def mint(self, config, key=None):
        return self.server.http(
            "POST", MINT, bearer(key or self.server.api_key), {"personaConfig": config})

    def test_a_kept_persona_mints_a_stateful_token_and_what_stands_beside_its_id_is_ignored(self):
        persona = self.create(avatarId=CARA)
        reply = self.mint({"personaId": persona["id"], "avatarId": "nonsense", "name": 7})
        self.assertEqual(reply.status, 200, reply.body)
        claims = claims_of(reply.json()["sessionToken"])
        self.assertEqual(claims["type"], "stateful")
        self.assertEqual(claims["avatar"], CARA)

    def test_a_token_is_for_the_persona_as_it_was_when_it_was_minted(self):
        persona = self.create(systemPrompt="before")
        address = lambda: claims_of(
            self.mint({"personaId": persona["id"]}).json()["sessionToken"])["persona"]
        before = address()
        self.assertEqual(address(), before)
        self.call("PUT", "/" + persona["id"], {"systemPrompt": "after"})
        self.assertNotEqual(address(), before)

    def test_400_for_a_persona_that_is_gone_or_of_the_other_environment(self):
        """Rule persona-of-one-workspace."""
        persona = self.create()
        live = live_key(self.server)
        reply = self.mint({"personaId": persona["id"]}, key=live)
        none = self.mint({"personaId": NOBODY}, key=live)
        self.assertEqual(reply.status, 400)
        self.assertEqual(reply.body, none.body)
        self.call("DELETE", "/" + persona["id"])
        self.assertEqual(self.mint({"personaId": persona["id"]}).status, 400)


class Refusals(PersonaCase):
    def test_400_names_the_member(self):
        for body, path in (
            ({}, "name"),
            ({"name": ""}, "name"),
            ({"name": "x", "avatarId": NOBODY}, "avatarId"),
            ({"name": "x", "voiceId": "v"}, "voiceId"),
            ({"name": "x", "llmId": "l"}, "llmId"),
            ({"name": "x", "toolIds": ["t"]}, "toolIds[0]"),
            ({"name": "x", "languageCode": "english"}, "languageCode"),
        ):
            self.assert_refused(self.call("POST", body=body), 400, "Bad Request", path)
        persona = self.create()
        for body, path in (({"unknown": 1}, "unknown"), ({"name": None}, "name"),
                           ({"avatarId": NOBODY}, "avatarId"), ([], "")):
            self.assert_refused(
                self.call("PUT", "/" + persona["id"], body), 400, "Bad Request", path)
        self.assertEqual(self.call("GET", "/" + persona["id"]).json(), persona)
        self.assert_refused(self.call("POST", body="{"), 400, "Bad Request")
        self.assert_refused(self.call("GET", "?perPage=101"), 400, "Bad Request", "perPage")
        self.assert_refused(self.call("GET", "?page=0"), 400, "Bad Request", "page")

    def test_401_without_a_key(self):
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/x"), ("PUT", "/x"),
                             ("DELETE", "/x")):
            self.assert_refused(self.server.http(method, PATH + path), 401, "Unauthorized")

    def test_404_for_the_other_environment_is_that_for_nothing(self):
        """Rule persona-of-one-workspace."""
        persona = self.create()
        live = live_key(self.server)
        calls = (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None))
        self.assert_all_404(calls, "/" + persona["id"], live)
        # Rule absent-names-environment.
        for key, world in ((live, "live"), (self.server.api_key, "test")):
            reply = self.call("GET", "/" + "0" * len(persona["id"]), key=key)
            self.assertIn(f"in the {world} data", reply.json()["message"])
        self.assertEqual(self.call("GET", key=live).json()["data"], [])

    def test_404_for_another_workspace_is_that_for_nothing(self):
        """Rule persona-of-one-workspace."""
        self.server.insert("workspaces", "ws_other", "Other", 0)
        self.server.insert("personas", "foreign", "ws_other", 1, "X", '{"name":"X"}', 0, 0, None, 1)
        calls = (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None))
        self.assert_all_404(calls, "/foreign", None)

    def test_405_comes_in_the_same_shape(self):
        self.assert_refused(self.call("PATCH", "/x"), 405, "Method Not Allowed")


if __name__ == "__main__":
    main()
