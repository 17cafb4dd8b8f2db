"""/v1/llms, against the real binary: the language models that a workspace brings, and their keys.

SPDX-License-Identifier: Apache-2.0
"""

from anam_mint_test import PATH as MINT
from cases import AnamCase, Stage, bearer, live_key, main

PATH = "/v1/llms"
KEY = "sk-a-very-secret-key"
MODEL = {"displayName": "Ours", "llmFormat": "openai", "modelName": "m-1", "secret": KEY,
         "urls": [{"url": "https://llm.example/v1"}]}


class ModelCase(AnamCase):
    path = PATH

    def create(self, **members):
        return self.created(MODEL | members)


class Keeping(ModelCase):
    def test_201_gives_the_model_as_it_is_kept_without_its_key(self):
        """Rule language-model-key-stays."""
        model = self.create(description="d", temperature=0.5)
        self.assertEqual(model["displayName"], "Ours")
        self.assertEqual(model["urls"], [{"url": "https://llm.example/v1"}])
        self.assertEqual((model["modelName"], model["temperature"]), ("m-1", 0.5))
        self.assertIs(model["isDefault"], False)
        for member in ("id", "description", "llmFormat", "maxTokens", "deploymentName",
                       "apiVersion", "metadata", "displayTags", "isGlobal", "isZdr",
                       "reasoningEffort", "reasoningFormat", "createdByOrganizationId",
                       "createdAt", "updatedAt"):
            self.assertIn(member, model)
        self.assertNotIn("secret", model)
        self.assertEqual(self.call("GET", "/" + model["id"]).json(), model)

    def test_its_key_is_nowhere_to_be_read(self):
        """Rule kept-secret-sealed."""
        model = self.create()["id"]
        answers = [self.call("GET"), self.call("GET", "/" + model),
                   self.call("PUT", "/" + model, {"displayName": "Theirs"}),
                   self.call("PUT", "/" + model, {"secret": KEY + "\n"}),
                   self.server.http("GET", "/v1/audit", bearer(self.server.api_key))]
        for answer in answers:
            self.assertNotIn(KEY.encode(), answer.body)
        self.assertNotIn(KEY, self.server.log())
        for file in self.server.data.iterdir():
            if file.is_file():
                self.assertNotIn(KEY.encode(), file.read_bytes(), file)

    def test_what_is_built_in_stands_behind_a_workspaces_own(self):
        model = self.create(displayName="Newest")["id"]
        listed = self.call("GET", "?perPage=100").json()["data"]
        self.assertEqual(listed[0]["id"], model)
        (none,) = [one for one in listed if one["id"] == "CUSTOMER_CLIENT_V1"]
        self.assertEqual((none["displayName"], none["llmFormat"], none["isDefault"]),
                         ("Disable LLM", "none", True))
        own = self.call("GET", "?perPage=100&includeDefaults=false").json()["data"]
        self.assertEqual([one for one in own if one["isDefault"]], [])
        self.assertEqual(self.call("GET", "/CUSTOMER_CLIENT_V1").json(), none)
        for method in ("PUT", "DELETE"):
            self.assert_refused(self.call(method, "/CUSTOMER_CLIENT_V1", {}), 403, "Forbidden")

    def test_pages_go_on_from_a_workspaces_own_to_what_is_built_in(self):
        ids, page = [], 1
        while page:
            reply = self.call("GET", f"?perPage=2&page={page}").json()
            ids += [one["id"] for one in reply["data"]]
            page = reply["meta"]["next"]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(len(ids), reply["meta"]["total"])
        self.assertEqual(ids, [one["id"] for one in self.call("GET", "?perPage=100").json()["data"]])

    def test_PUT_changes_what_it_names_and_DELETE_takes_it_away(self):
        model = self.create()
        changed = self.call("PUT", "/" + model["id"], {"url": "https://llm.example/v2"})
        self.assertEqual(changed.status, 200, changed.body)
        self.assertEqual(changed.json()["urls"], [{"url": "https://llm.example/v2"}])
        self.assertEqual(changed.json()["modelName"], "m-1")
        gone = self.call("DELETE", "/" + model["id"])
        self.assertEqual((gone.status, gone.body), (204, b""))
        for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
            self.assert_refused(self.call(method, "/" + model["id"], body), 404, "Not Found")

    def test_a_persona_may_name_it_while_it_is_there(self):
        model = self.create()["id"]
        persona = self.server.http("POST", "/v1/personas", bearer(self.server.api_key),
                                   {"name": "P", "llmId": model})
        self.assertEqual((persona.status, persona.json()["llmId"]), (201, model))
        mint = lambda: self.server.http(
            "POST", MINT, bearer(self.server.api_key),
            {"personaConfig": {"personaId": persona.json()["id"]}})
        token = mint()
        self.assertEqual(token.status, 200, token.body)
        inline = self.server.http("POST", MINT, bearer(self.server.api_key),
                                  {"personaConfig": {"llmId": model}})
        self.assertEqual(inline.status, 200, inline.body)
        opened = self.server.http("POST", "/v1/engine/session",
                                  bearer(token.json()["sessionToken"]), {})
        self.assertEqual(opened.status, 200, opened.body)
        self.call("DELETE", "/" + model)
        self.assert_refused(mint(), 400, "Bad Request")
        late = self.server.http("POST", "/v1/engine/session",
                                bearer(inline.json()["sessionToken"]), {})
        self.assert_refused(late, 400, "Bad Request")
        self.assertIn("language model", late.json()["message"])

    def test_its_key_outlives_two_rotations_of_the_server_secret(self):
        """Rule kept-secret-survives-rotation."""
        with Stage() as server:
            made = server.http("POST", PATH, bearer(server.api_key), MODEL).json()["id"]
            for _ in range(2):
                server.must("secret", "rotate")
                server.restart()
                # The API key moves over to the newer secret when it is used.
                self.assertEqual(server.http("GET", PATH, bearer(server.api_key)).status, 200)
            reply = server.http("PUT", f"{PATH}/{made}", bearer(server.api_key), {"maxTokens": 9})
            self.assertEqual(reply.status, 200, reply.body)


class Refusals(ModelCase):
    def test_400_names_the_member(self):
        for change, path in (({"displayName": ""}, "displayName"), ({"secret": None}, "secret"),
                             ({"urls": []}, "urls"), ({"urls": [{"url": "x"}]}, "urls[0].url"),
                             ({"llmFormat": "gemini"}, "llmFormat"),
                             ({"llmFormat": "x"}, "llmFormat"),
                             ({"temperature": 3}, "temperature")):
            self.assert_refused(self.call("POST", body=MODEL | change), 400, "Bad Request", path)
        model = self.create()["id"]
        for body, path in (({"unknown": 1}, "unknown"), ({"modelName": None}, "modelName"),
                           ([], "")):
            self.assert_refused(self.call("PUT", "/" + model, body), 400, "Bad Request", path)
        self.assert_refused(self.call("GET", "?includeDefaults=x"), 400, "Bad Request",
                            "includeDefaults")

    def test_its_key_is_not_sent_to_another_host(self):
        """Rule language-model-key-stays."""
        model, elsewhere = self.create()["id"], {"url": "https://thief.example/v1"}
        self.assert_refused(self.call("PUT", "/" + model, elsewhere), 400, "Bad Request", "secret")
        self.assertEqual(self.call("PUT", "/" + model, elsewhere | {"secret": "sk-b"}).status, 200)

    def test_403_for_whoever_may_only_look(self):
        model = self.create()["id"]
        reader = self.key_with("personas:read")["api_key"]
        self.assertEqual(self.call("GET", "/" + model, key=reader).status, 200)
        for method, path, body in (("POST", "", MODEL), ("PUT", "/" + model, {}),
                                   ("DELETE", "/" + model, None)):
            self.assert_refused(self.call(method, path, body, reader), 403, "Forbidden")

    def test_404_for_others_is_that_for_nothing(self):
        """Rule catalog-item-of-one-workspace."""
        model, live = self.create()["id"], live_key(self.server)
        self.server.insert("workspaces", "ws_other", "Other", 0)
        self.server.insert("catalog_items", "foreign", 0, "ws_other", 1, "X", "{}", None, 0, 0,
                           None, 1)
        for id, key in ((model, live), ("foreign", None)):
            self.assert_all_404((("GET", None), ("PUT", {}), ("DELETE", None)), "/" + id, key)
        for id, key in ((model, live), ("foreign", self.server.api_key)):
            mint = self.server.http("POST", MINT, bearer(key), {"personaConfig": {"llmId": id}})
            self.assert_refused(mint, 400, "Bad Request", "personaConfig.llmId")


if __name__ == "__main__":
    main()
