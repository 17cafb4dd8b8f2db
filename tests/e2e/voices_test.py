"""/v1/voices, against the real binary: what its engines can speak with, in Anam's shapes.

SPDX-License-Identifier: Apache-2.0
"""

import unittest

from anam_mint_test import PATH as MINT
from cases import NOBODY, Stage, bearer, main

PATH = "/v1/voices"
PRINTED = "6bfbe25a-979d-40f3-a92b-5394170af54b"  # by the vendor's documents


class VoiceCase(unittest.TestCase):
    settings = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Stage(cls.settings).__enter__()
        cls.addClassCleanup(cls.server.close)

    def call(self, method, path="", body=None, key=None):
        return self.server.http(method, PATH + path, bearer(key or self.server.api_key), body)

    def listed(self, query="?perPage=100"):
        reply = self.call("GET", query)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()["data"]

    def assert_refused(self, reply, status, error):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.json()["error"], error)
        self.assertTrue(reply.json()["message"])


class BuiltIn(VoiceCase):
    def test_the_voices_of_flite_and_the_languages_of_espeak_are_listed(self):
        """Rule voice-ids-stable."""
        by_name = {(one["engine"], one["providerVoiceId"]): one
                   for query in ("?perPage=100", "?perPage=100&page=2")
                   for one in self.listed(query) if one["id"] != PRINTED}
        self.assertEqual(by_name["flite", "slt"]["gender"], "FEMALE")
        self.assertEqual(by_name["flite", "awb"]["gender"], "MALE")
        self.assertEqual(by_name["espeak-ng", "de"]["language"], "de")
        self.assertEqual(by_name["espeak-ng", "de"]["displayName"], "German")
        ids = [one["id"] for one in by_name.values()]
        self.assertEqual(len(ids), len(set(ids)))
        # The same on every server: personas rest on it.
        self.assertEqual(by_name["flite", "slt"]["id"], "0cbb0ddc-a222-8f17-9e94-abca32fa082c")
        for one in by_name.values():
            for member in ("id", "displayName", "provider", "providerVoiceId", "providerModelId",
                           "sampleUrl", "previewSampleUrl", "gender", "country", "description",
                           "displayTags", "isZdr", "createdByOrganizationId", "createdAt",
                           "updatedAt"):
                self.assertIn(member, one)

    def test_the_ids_that_the_vendors_documents_print_mean_built_in_voices(self):
        """Rule built-in-ids."""
        voice = self.call("GET", "/" + PRINTED).json()
        self.assertEqual((voice["id"], voice["engine"], voice["providerVoiceId"]),
                         (PRINTED, "flite", "slt"))

    def test_each_can_be_looked_at_and_searched_for_and_given_to_a_persona(self):
        (german,) = [one for one in self.listed("?search=german&perPage=100")
                     if one["providerVoiceId"] == "de"]
        self.assertEqual(self.call("GET", "/" + german["id"]).json(), german)
        self.assertIn(german, self.listed("?search=de"))
        self.assertEqual(self.listed("?search=" + german["id"]), [german])
        persona = self.server.http("POST", "/v1/personas", bearer(self.server.api_key),
                                   {"name": "P", "voiceId": german["id"]})
        self.assertEqual(persona.json()["voice"], german)
        token = self.server.http("POST", MINT, bearer(self.server.api_key),
                                 {"personaConfig": {"voiceId": german["id"]}})
        self.assertEqual(token.status, 200, token.body)

    def test_lists_come_in_pages(self):
        first = self.call("GET", "?perPage=2").json()
        second = self.call("GET", "?perPage=2&page=2").json()
        self.assertEqual(len(first["data"]), 2)
        self.assertEqual((first["meta"]["next"], second["meta"]["prev"]), (2, 1))
        self.assertFalse({one["id"] for one in first["data"]} &
                         {one["id"] for one in second["data"]})

    def test_none_is_made_or_changed(self):
        for path in ("", "/presigned-upload"):
            self.assert_refused(self.call("POST", path, {"name": "Me"}), 501, "Not Implemented")
        for method in ("PUT", "DELETE"):
            self.assert_refused(self.call(method, "/" + PRINTED, {}), 403, "Forbidden")
            self.assert_refused(self.call(method, "/" + NOBODY, {}), 404, "Not Found")
        self.assert_refused(self.call("GET", "/" + NOBODY), 404, "Not Found")

    def test_whoever_may_only_look_does_that(self):
        reader = self.server.http("POST", "/v1/keys", bearer(self.server.api_key),
                                  {"name": "reads", "scopes": ["personas:read"]}).json()["api_key"]
        self.assertEqual(self.call("GET", key=reader).status, 200)
        self.assert_refused(self.call("POST", "", {"name": "Me"}, reader), 403, "Forbidden")
        self.assert_refused(self.call("PUT", "/" + PRINTED, {}, reader), 403, "Forbidden")


class OfTheSettings(VoiceCase):
    settings = '[live]\nvoices = ["guide=awb", "narrator=alloy"]\n' \
               '[engines]\nspeech_url = "http://127.0.0.1:9/v1/audio/speech"\n'

    def test_their_ids_stand_beside_those_of_the_engines(self):
        guide = self.call("GET", "/guide").json()
        self.assertEqual((guide["engine"], guide["providerVoiceId"]), ("flite", "awb"))
        narrator = self.call("GET", "/narrator").json()
        self.assertEqual((narrator["engine"], narrator["providerVoiceId"]), ("web", "alloy"))
        self.assertEqual(self.call("GET", "/" + PRINTED).json()["engine"], None)


if __name__ == "__main__":
    main()
