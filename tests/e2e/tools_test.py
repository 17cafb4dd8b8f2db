"""/v1/tools, against the real binary: the tools that a workspace keeps and its personas name.

SPDX-License-Identifier: Apache-2.0
"""

import base64
from anam_mint_test import PATH as MINT
from cases import AnamCase, NOBODY, bearer, claims_of, live_key, main

PATH = "/v1/tools"
CLIENT = {"name": "show_page", "description": "Shows a page.", "type": "CLIENT",
          "config": {"parameters": {"type": "object"}, "awaitResult": True}}
WEBHOOK = {"name": "order", "description": "Looks an order up.", "type": "SERVER_WEBHOOK",
           "config": {"url": "https://shop.example/orders", "method": "POST",
                      "headers": {"X-Key": "a-very-secret-header"}}}
SYSTEM = {"name": "bye", "description": "Ends.", "type": "SYSTEM", "config": {"action": "end_call"}}


class ToolCase(AnamCase):
    path = PATH

    def create(self, tool=CLIENT, **members):
        return self.created(tool | members)

    def mint(self, config, key=None):
        return self.server.http("POST", MINT, bearer(key or self.server.api_key),
                                {"personaConfig": config})


class Keeping(ToolCase):
    def test_201_gives_the_tool_as_it_is_kept(self):
        for body in (CLIENT, WEBHOOK, SYSTEM):
            tool = self.create(body)
            self.assertEqual((tool["name"], tool["type"]), (body["name"], body["type"]))
            self.assertIs(tool["disableInterruptions"], False)
            for member in ("id", "description", "config", "createdAt", "updatedAt", "usageCount"):
                self.assertIn(member, tool)
            self.assertEqual(self.call("GET", "/" + tool["id"]).json(), tool)

    def test_the_headers_of_a_webhook_are_nowhere_to_be_read(self):
        """Rule kept-secret-sealed."""
        tool = self.create(WEBHOOK)
        self.assertEqual(tool["config"]["headers"], {"X-Key": "***"})
        self.assertEqual(self.mint({"toolIds": [tool["id"]], "avatarId": "aria-001"}).status, 200)
        inline = {"name": "order", "type": "server", "subtype": "webhook",
                  "url": "https://shop.example", "headers": WEBHOOK["config"]["headers"]}
        self.assertEqual(self.mint({"tools": [inline], "avatarId": "aria-001"}).status, 200)
        hidden = b"a-very-secret-header"
        for answer in (self.call("GET"), self.call("GET", "/" + tool["id"])):
            self.assertNotIn(hidden, answer.body)
        for file in self.server.data.iterdir():
            if file.is_file():
                self.assertNotIn(hidden, file.read_bytes(), file)

    def test_PUT_changes_what_it_names_and_DELETE_takes_it_away(self):
        tool = self.create(WEBHOOK)
        changed = self.call("PUT", "/" + tool["id"], {"name": "look_up"})
        self.assertEqual((changed.status, changed.json()["name"]), (200, "look_up"))
        self.assertEqual(changed.json()["config"], tool["config"])
        self.assertEqual(self.call("DELETE", "/" + tool["id"]).status, 204)
        for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
            self.assert_refused(self.call(method, "/" + tool["id"], body), 404, "Not Found")

    def test_lists_come_in_pages_the_newest_first(self):
        ids = [self.create(name=f"paged_{i}")["id"] for i in range(3)]
        page = self.call("GET", "?search=paged&perPage=2").json()
        self.assertEqual([one["id"] for one in page["data"]], [ids[2], ids[1]])
        self.assertEqual((page["meta"]["total"], page["meta"]["next"]), (3, 2))


class OfAPersona(ToolCase):
    def test_a_persona_shows_what_its_tools_search(self):
        made = lambda path, body: self.server.http("POST", path, bearer(self.server.api_key), body)
        group = made("/v1/knowledge/groups", {"name": "Texts"}).json()
        # As the vendor's own tools for agents say it.
        tools = [made("/v1/tools", {"type": "server", "subtype": "knowledge", "name": name,
                                    "description": "Finds.", "folderIds": [group["id"]]}).json()
                 for name in ("find", "look")]
        self.assertEqual((tools[0]["type"], tools[0]["config"]),
                         ("SERVER_RAG", {"documentFolderIds": [group["id"]]}))
        persona = made("/v1/personas", {"name": "P", "toolIds": [tool["id"] for tool in tools]})
        self.assertEqual(persona.json()["knowledge"], [group])
        self.server.http("DELETE", "/v1/knowledge/groups/" + group["id"],
                         bearer(self.server.api_key))
        path = "/v1/personas/" + persona.json()["id"]
        again = self.server.http("GET", path, bearer(self.server.api_key))
        self.assertEqual(again.json()["knowledge"], [])

    def test_a_webhook_in_the_form_of_a_personas_own_is_kept_and_changed_like_any_other(self):
        hook = {"type": "server", "subtype": "webhook", "name": "order", "description": "Orders.",
                "url": "https://shop.example/order", "method": "POST", "awaitResponse": False}
        tool = self.call("POST", "", hook)
        self.assertEqual(tool.status, 201, tool.body)
        self.assertEqual((tool.json()["type"], tool.json()["config"]),
                         ("SERVER_WEBHOOK", {"awaitResponse": False, "method": "POST",
                                             "url": "https://shop.example/order"}))
        changed = self.call("PUT", "/" + tool.json()["id"], {"awaitResponse": True})
        self.assertEqual(changed.json()["config"], tool.json()["config"] | {"awaitResponse": True})
        refused = self.call("POST", "", {**hook, "url": "ftp://x"})
        self.assert_refused(refused, 400, "Bad Request", "url")

    def test_a_persona_shows_the_tools_that_it_names(self):
        tool = self.create()
        persona = self.server.http("POST", "/v1/personas", bearer(self.server.api_key),
                                   {"name": "P", "toolIds": [tool["id"]]})
        self.assertEqual(persona.json()["tools"], [tool])
        path = "/v1/personas/" + persona.json()["id"]
        emptied = self.server.http("PUT", path, bearer(self.server.api_key), {"toolIds": []})
        self.assertEqual(emptied.json()["tools"], [])

    def test_a_token_is_for_its_tools_as_they_are_when_it_is_minted(self):
        """Rule kept-tool-in-snapshot."""
        tool = self.create(SYSTEM)["id"]
        address = lambda: claims_of(
            self.mint({"toolIds": [tool], "avatarId": "aria-001"}).json()["sessionToken"])["persona"]
        kept = ('{"character":"ada","persona":{"avatarId":"aria-001","toolIds":["%s"],"tools":[{'
                '"action":"end_call","description":"Ends.","name":"bye","type":"system"}]}}' % tool)
        expected = base64.urlsafe_b64encode(self.server.address_of(kept))
        self.assertEqual(address(), expected.decode().rstrip("="))
        before = address()
        self.call("PUT", "/" + tool, {"name": "farewell"})
        self.assertNotEqual(address(), before)

    def test_a_session_begins_with_them(self):
        tools = [self.create(body)["id"] for body in (CLIENT, WEBHOOK, SYSTEM)]
        token = self.mint({"toolIds": tools, "avatarId": "aria-001"})
        opened = self.server.http("POST", "/v1/engine/session",
                                  bearer(token.json()["sessionToken"]), {})
        self.assertEqual(opened.status, 200, opened.body)

    def test_400_for_a_tool_that_is_gone_or_of_others_and_for_too_many(self):
        tool, live = self.create()["id"], live_key(self.server)
        for id, key in ((NOBODY, None), (tool, live)):
            self.assert_refused(self.mint({"toolIds": [id], "avatarId": "aria-001"}, key), 400,
                                "Bad Request", "personaConfig.toolIds[0]")
        own = [{"name": "own", "type": "client"}]
        many = self.mint({"toolIds": [tool] * 32, "tools": own, "avatarId": "aria-001"})
        self.assert_refused(many, 400, "Bad Request", "personaConfig.toolIds")
        self.call("DELETE", "/" + tool)
        self.assert_refused(self.mint({"toolIds": [tool], "avatarId": "aria-001"}), 400,
                            "Bad Request", "personaConfig.toolIds[0]")


class Refusals(ToolCase):
    def test_400_names_the_member(self):
        for change, path in (({"name": "a b"}, "name"), ({"description": ""}, "description"),
                             ({"type": "SERVER_RAG"}, "config.documentFolderIds"), ({"type": "client"}, "type"),
                             ({"config": {"toolTimeoutSeconds": 0}}, "config.toolTimeoutSeconds"),
                             ({"type": "SERVER_WEBHOOK"}, "config.url"),
                             ({"type": "SYSTEM"}, "config.action")):
            self.assert_refused(self.call("POST", body=CLIENT | change), 400, "Bad Request", path)
        tool = self.create()["id"]
        self.assert_refused(self.call("PUT", "/" + tool, {"unknown": 1}), 400, "Bad Request",
                            "unknown")

    def test_400_for_parameters_that_would_be_too_deep_where_they_are_kept(self):
        tool = self.create()["id"]
        inline = '{"type":"client","name":"deep","description":"Deep.",'
        headers = bearer(self.server.api_key) | {"Content-Type": "application/json"}
        for depth, statuses in ((20, (201, 200)), (24, (400, 400)), (31, (400, 400)),
                                (32, (400, 400))):
            parameters = '"parameters":' + '{"a":' * (depth - 1) + "{}" + "}" * depth
            made = self.server.http("POST", PATH, headers, inline + parameters)
            changed = self.server.http("PUT", f"{PATH}/{tool}", headers, "{" + parameters)
            self.assertEqual((made.status, changed.status), statuses, (depth, made, changed))
        token = self.mint({"toolIds": [tool], "avatarId": "aria-001"}).json()["sessionToken"]
        opened = self.server.http("POST", "/v1/engine/session", bearer(token), {})
        self.assertEqual(opened.status, 200, opened.body)

    def test_403_for_whoever_may_only_look(self):
        tool = self.create()["id"]
        reader = self.key_with("personas:read")["api_key"]
        self.assertEqual(self.call("GET", "/" + tool, key=reader).status, 200)
        for method, path, body in (("POST", "", CLIENT), ("PUT", "/" + tool, {}),
                                   ("DELETE", "/" + tool, None)):
            self.assert_refused(self.call(method, path, body, reader), 403, "Forbidden")

    def test_404_for_others_is_that_for_nothing(self):
        """Rule catalog-item-of-one-workspace."""
        tool, live = self.create()["id"], live_key(self.server)
        self.server.insert("workspaces", "ws_other", "Other", 0)
        self.server.insert("catalog_items", "foreign", 1, "ws_other", 1, "X", "{}", None, 0, 0,
                           None, 1)
        for id, key in ((tool, live), ("foreign", None)):
            self.assert_all_404((("GET", None), ("PUT", {}), ("DELETE", None)), "/" + id, key)


if __name__ == "__main__":
    main()
