"""Apps of one workspace, against the real binary: what a key of one makes is nothing to the keys, the
personas and the sessions of another; what a person makes is there for all.

SPDX-License-Identifier: Apache-2.0
"""

import json
import unittest

from accounts_test import PASSWORD, Person
from anam_mint_test import CARA, PATH as MINT
from cases import NOBODY, Refusal, Stage, bearer, main, wait_until
from former_shape import put_back
from knowledge_test import form

GROUPS, DOCUMENTS = "/v1/knowledge/groups", "/v1/knowledge/documents"
WEBHOOK = {"name": "look_up", "description": "d", "type": "SERVER_WEBHOOK",
           "config": {"url": "https://hooks.example/a", "method": "POST",
                      "headers": {"Authorization": "hush"}}}
MODEL = {"displayName": "Ours", "llmFormat": "openai", "modelName": "m", "secret": "sk-hush",
         "urls": [{"url": "https://models.example/v1"}]}
# Each kind of thing: where it is, what makes one, and what changes one.
KINDS = {
    "persona": ("/v1/personas", {"name": "Theirs", "systemPrompt": "Secret."}, {"name": "Stolen"}),
    "tool": ("/v1/tools", WEBHOOK, {"description": "Stolen"}),
    "llm": ("/v1/llms", MODEL, {"displayName": "Stolen"}),
    "group": (GROUPS, {"name": "Theirs"}, {"name": "Stolen"}),
    "document": (DOCUMENTS, None, {"filename": "stolen.md"}),
    "avatar": ("/v1/avatars", {"displayName": "Theirs"}, {"displayName": "Stolen"}),
    "link": ("/v1/share-links", None, {"usageLimit": None}),
}


class App:
    """An app of the workspace with a test key and a live one."""

    def __init__(self, server, app_id):
        self.server, self.id = server, app_id
        self.key, self.live = self.new_key(), self.new_key("--live")

    def new_key(self, *words):
        made = self.server.must("key", "create", "--app", self.id, "--json", *words)
        key = json.loads(made)["api_key"]
        wait_until(lambda: self.server.http("GET", "/v1/personas", bearer(key)).status == 200,
                   "the key to be known")
        return key

    def key_for(self, kind):
        """Both environments share an avatar, so a test key changes none."""
        return self.live if kind == "avatar" else self.key

    def call(self, method, path, body=None, kind="", **headers):
        return self.server.http(method, path, bearer(self.key_for(kind)) | headers, body)


def created(call, path, body, kind="", **headers):
    reply = call("POST", path, body, kind, **headers)
    assert reply.status == 201, (path, reply.body)
    return reply.json()["id"]


def make_all(call, link_path="/v1/share-links"):
    """One thing of each kind: their ids."""
    ids = {kind: created(call, path, body, kind)
           for kind, (path, body, _) in KINDS.items() if body}
    head, content = form("secret.md", "The dogs bark at nine.\n")
    ids["document"] = created(call, f"{GROUPS}/{ids['group']}/documents", content, **head)
    ids["link"] = created(call, link_path, {"personaId": ids["persona"], "isPrimary": True})
    return ids


class Walls(unittest.TestCase):
    """One server: two apps of one workspace, and a person who owns it."""

    @classmethod
    def setUpClass(cls):
        cls.server = Stage('[accounts]\nsign_up = "open"\n').__enter__()
        cls.addClassCleanup(cls.server.close)
        cls.first = App(cls.server, cls.server.app_id)
        cls.second = App(cls.server, cls.server.second_app())
        cls.owner = cls.person("owner")

    @classmethod
    def person(cls, name):
        email = f"{name}@example.com"
        code = json.loads(cls.server.must("member", "invite", "--email", email, "--role", "owner",
                                          "--json"))["code"]
        cls.server.http("POST", "/v1/accounts",
                        body={"email": email, "password": PASSWORD, "invitation_code": code})
        return Person(cls.server, email).log_in()

    @classmethod
    def by_owner(cls, method, path, body=None, kind="", **headers):
        if kind != "avatar":
            path += ("&" if "?" in path else "?") + "environment=test"
        return cls.owner.call(method, path, body, **headers)

    def assert_as_nothing(self, status, theirs, ask):
        """The same bytes for a thing of others as for none, but for the id."""
        replies = [(one, ask(one)) for one in (theirs, NOBODY)]
        told = []
        for one, reply in replies:
            said = reply.body.replace(one.encode(), b"ID")
            said = said.replace(("req_" + reply.headers["X-Request-Id"]).encode(), b"REQUEST")
            told.append((reply.status, said))
        self.assertEqual(told[0][0], status, told)
        self.assertEqual(told[0], told[1])
        return replies[0][1]


class AnotherApp(Walls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.things = make_all(cls.first.call)
        cls.persona = created(cls.second.call, "/v1/personas", {"name": "Own"})

    def pairs(self):
        """What the second app asks of the first one's things: {} is an id, its kind is the last."""
        for kind, (path, _, change) in KINDS.items():
            for method, body in (("GET", None), ("PUT", change), ("DELETE", None)):
                yield method, path + "/{}", body, kind
        yield "DELETE", "/v1/avatars/{}?hard=true", None, "avatar"
        yield "GET", GROUPS + "/{}/documents", None, "group"
        yield "POST", GROUPS + "/{}/search", {"query": "dogs"}, "group"
        yield "GET", DOCUMENTS + "/{}/download", None, "document"
        yield "POST", "/v1/share-links", {"personaId": "{}"}, "persona"
        yield "POST", "/v1/session-tokens/revoke", {"avatar_id": "{}"}, "avatar"

    def shown(self):
        shown = {kind: self.first.call("GET", f"{path}/{self.things[kind]}", None, kind).json()
                 for kind, (path, _, _) in KINDS.items()}
        del shown["avatar"]["meta"]  # the request's id
        return shown

    # Rule item-of-app.
    # Rule share-link-of-one-workspace.
    # Rule avatar-changed-by-its-owners.
    def test_each_call_on_another_apps_things_is_404_with_the_bytes_of_nothing(self):
        before = self.shown()
        for method, path, body, kind in self.pairs():
            def ask(one):
                sent = body and json.loads(json.dumps(body).replace("{}", one))
                return self.second.call(method, path.format(one), sent, kind)
            with self.subTest(f"{method} {path} of a {kind}"):
                self.assert_as_nothing(404, self.things[kind], ask)
        head, content = form("mine.md", "x")
        self.assert_as_nothing(404, self.things["group"], lambda one: self.second.call(
            "POST", f"{GROUPS}/{one}/documents", content, **head))
        self.assertEqual(self.shown(), before)
        # The owners find them. (GET /v1/avatars answers people in another vendor's dialect.)
        for kind, (path, _, _) in KINDS.items():
            if kind == "avatar":
                continue
            reply = self.by_owner("GET", f"{path}/{self.things[kind]}", None, kind)
            self.assertEqual((reply.status, reply.json()["id"]), (200, self.things[kind]))

    # Rule item-of-app.
    def test_lists_of_a_key_hold_its_apps_things_and_the_workspaces_alone(self):
        for kind, (path, _, _) in KINDS.items():
            if kind == "document":
                continue
            with self.subTest(kind):
                def ids(reply):
                    listed = reply.json()
                    listed = listed if isinstance(listed, list) else listed["data"]
                    return {one["id"] for one in listed}
                query = "?perPage=100&search=" + self.things[kind]
                self.assertEqual(ids(self.second.call("GET", path + query, None, kind)), set())
                self.assertNotIn(self.things[kind],
                                 ids(self.second.call("GET", path + "?perPage=100", None, kind)))
                self.assertEqual(ids(self.first.call("GET", path + query, None, kind)),
                                 {self.things[kind]})
        links = self.second.call("GET", "/v1/share-links?personaId=" + self.things["persona"])
        self.assertEqual((links.json()["data"], links.json()["meta"]["total"]), ([], 0))

    def references(self):
        """A persona's members that name a thing: the kind, the members, and the path of the fault."""
        search = {"name": "search", "description": "d", "type": "server", "subtype": "knowledge",
                  "documentFolderIds": ["{}"]}
        yield "tool", {"toolIds": ["{}"]}, "toolIds[0]"
        yield "llm", {"llmId": "{}"}, "llmId"
        yield "avatar", {"avatarId": "{}"}, "avatarId"
        yield "group", {"tools": [search]}, "tools[0].documentFolderIds"

    # Rule item-of-app.
    # Rule persona-checked-at-minting.
    def test_what_names_another_apps_things_is_refused_as_what_names_nothing(self):
        def fill(wish, one):
            return json.loads(json.dumps(wish).replace("{}", one))
        for kind, members, path in self.references():
            with self.subTest(f"{kind} in a persona"):
                wish = {"personaConfig": {"avatarId": CARA, "systemPrompt": "x"} | members}
                for call in (MINT, "/v1/engine/session"):
                    reply = self.assert_as_nothing(400, self.things[kind], lambda one: (
                        self.second.call("POST", call, fill(wish, one), kind)))
                    self.assertEqual([fault["path"] for fault in reply.json()["details"]],
                                     ["personaConfig." + path])
                kept = {"name": "Thief"} | members
                if "tools" in members:
                    continue  # a kept persona has none of its own
                for method, place in (("POST", "/v1/personas"),
                                      ("PUT", "/v1/personas/" + self.persona)):
                    self.assert_as_nothing(400, self.things[kind], lambda one: (
                        self.second.call(method, place, fill(kept, one))))
        with self.subTest("a persona"):
            for call in (MINT, "/v1/engine/session"):
                self.assert_as_nothing(400, self.things["persona"], lambda one: self.second.call(
                    "POST", call, {"personaConfig": {"personaId": one}}))
        with self.subTest("an avatar in other dialects"):
            self.assert_as_nothing(404, self.things["avatar"], lambda one: self.second.call(
                "POST", "/v1/session-tokens", {"avatar_id": one}))
            self.assert_as_nothing(404, self.things["avatar"], lambda one: self.second.call(
                "POST", "/v1/conversations", {"avatarId": one}))
            self.assert_as_nothing(404, self.things["avatar"], lambda one: self.server.http(
                "GET", f"/v2/character/{one}", {"X-App-ID": self.second.id}))

    # Rule item-of-app.
    def test_a_session_of_another_app_opens_with_none_of_its_avatars(self):
        token = self.server.token(self.second.key)
        knock = lambda avatar: self.server.knock(token, app=self.second.id, avatar=avatar)
        told = []
        for avatar in (self.things["avatar"], NOBODY):
            refused = knock(avatar)
            self.assertIsInstance(refused, Refusal)
            told.append((refused.status, refused.body.replace(avatar.encode(), b"ID")))
        self.assertEqual(told[0], told[1])
        own = self.server.knock(self.server.token(), avatar=self.things["avatar"])
        self.assertNotIsInstance(own, Refusal)
        own.wire.drop()

    # Rule item-of-app.
    def test_what_a_person_mints_for_one_app_names_nothing_of_another(self):
        def mint(app, one):
            return self.owner.call("POST", "/v1/session-tokens", {
                "app_id": app.id, "environment": "test", "persona_id": one})
        self.assert_as_nothing(400, self.things["persona"], lambda one: mint(self.second, one))
        self.assertEqual(mint(self.first, self.things["persona"]).status, 201)
        link = lambda app, one: self.by_owner("POST", f"/v1/share-links?appId={app.id}",
                                              {"personaId": one})
        self.assert_as_nothing(404, self.things["persona"], lambda one: link(self.second, one))
        self.assertEqual(link(self.first, self.things["persona"]).status, 201)

    # Rule item-of-app.
    def test_an_avatar_that_is_gone_for_good_stays_its_apps(self):
        gone = created(self.first.call, "/v1/avatars", {"displayName": "Gone"}, "avatar")
        revoke = lambda app, one: app.call("POST", "/v1/session-tokens/revoke",
                                           {"avatar_id": one}, "avatar")
        for query in ("", "?hard=true"):
            self.first.call("DELETE", f"/v1/avatars/{gone}{query}", None, "avatar")
            self.assert_as_nothing(404, gone, lambda one: revoke(self.second, one))
            self.assertEqual(revoke(self.first, gone).status, 200)
        self.assertEqual([entry["detail"] for entry in self.server.audited("avatar.remove")
                          if entry["subject"] == gone],
                         [self.first.id, self.first.id + ", for good"])


class Shared(Walls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.things = make_all(cls.by_owner, "/v1/share-links?appId=" + cls.first.id)

    # Rule item-of-app.
    def test_what_a_person_makes_is_there_for_all_apps_and_stays_so(self):
        for kind, (path, _, change) in KINDS.items():
            if kind == "link":
                continue
            place = f"{path}/{self.things[kind]}"
            with self.subTest(kind):
                changed = self.second.call("PUT", place, change, kind)
                self.assertEqual(changed.status, 200, changed.body)
                for app in (self.first, self.second):
                    self.assertEqual(app.call("GET", place, None, kind).status, 200)
        config = {"systemPrompt": "x", "toolIds": [self.things["tool"]],
                  "llmId": self.things["llm"], "avatarId": self.things["avatar"]}
        for app in (self.first, self.second):
            for persona in (config, {"personaId": self.things["persona"]}):
                reply = app.call("POST", MINT, {"personaConfig": persona})
                self.assertEqual(reply.status, 200, reply.body)

    # Rule share-link-of-one-workspace.
    # Rule share-link-one-primary.
    def test_a_shared_persona_shows_each_app_its_own_links_and_primary_one(self):
        persona = created(self.by_owner, "/v1/personas", {"name": "Both"})
        links = {app.id: created(app.call, "/v1/share-links",
                                 {"personaId": persona, "isPrimary": True})
                 for app in (self.first, self.second)}
        for app in (self.first, self.second):
            own = app.call("GET", f"/v1/share-links/{links[app.id]}").json()
            self.assertTrue(own["isPrimary"])
            shown = app.call("GET", f"/v1/personas/{persona}").json()
            self.assertEqual(shown["shareLinks"], [own])
            self.assertEqual(shown["primaryShareLink"]["token"], own["token"])
        seen = self.by_owner("GET", f"/v1/personas/{persona}").json()
        self.assertEqual({one["id"] for one in seen["shareLinks"]}, set(links.values()))

    # Rule item-of-app.
    def test_a_persona_that_names_another_apps_things_is_not_played_and_does_not_show_them(self):
        tool = created(self.first.call, "/v1/tools", WEBHOOK)
        avatar = created(self.first.call, "/v1/avatars", {"displayName": "Theirs"}, "avatar")
        persona = created(self.by_owner, "/v1/personas",
                          {"name": "Mixed", "toolIds": [tool], "avatarId": avatar})
        mint = lambda app: app.call("POST", MINT, {"personaConfig": {"personaId": persona}})
        self.assertEqual(mint(self.first).status, 200)
        refused = mint(self.second)
        self.assertEqual(refused.status, 400)
        self.assertEqual({fault["code"] for fault in refused.json()["details"]},
                         {"unknown_reference"})
        shown = self.second.call("GET", f"/v1/personas/{persona}").json()
        self.assertEqual((shown["tools"], shown["avatar"]["displayName"]), ([], ""))
        self.assertEqual(len(self.first.call("GET", f"/v1/personas/{persona}").json()["tools"]), 1)

    # Rule share-link-rests-on-its-maker.
    # Rule share-link-of-one-workspace.
    def test_a_person_who_takes_a_link_over_leaves_it_with_its_app(self):
        link = created(self.second.call, "/v1/share-links", {"personaId": self.things["persona"]})
        self.assertEqual(self.by_owner("PUT", f"/v1/share-links/{link}", {}).status, 200)
        self.assertEqual(self.second.call("GET", f"/v1/share-links/{link}").status, 200)
        self.assertEqual(self.first.call("GET", f"/v1/share-links/{link}").status, 404)


class FormerData(unittest.TestCase):
    """A data folder that was written before things had apps."""

    # Rule item-of-app.
    def test_what_was_there_before_is_there_for_all_apps(self):
        with Stage() as server:
            key = bearer(server.api_key)
            persona = server.initialised["persona_id"]
            make = lambda path, body: server.http("POST", path, key, body).json()["id"]
            tool = make("/v1/tools", WEBHOOK)
            group = make(GROUPS, {"name": "Before"})
            link = make("/v1/share-links", {"personaId": persona, "isPrimary": True})
            server.halt()
            put_back(server.data / "stagedoor.db", "0010")
            server.start()
            second = App(server, server.second_app())
            for path in (f"/v1/personas/{persona}", f"/v1/tools/{tool}", f"{GROUPS}/{group}",
                         f"/v1/avatars/{server.avatar_id}"):
                for auth in (key, bearer(second.key)):
                    self.assertEqual(server.http("GET", path, auth).status, 200, path)
            # A link was always its app's.
            self.assertEqual(server.http("GET", f"/v1/share-links/{link}", key).status, 200)
            self.assertEqual(second.call("GET", f"/v1/share-links/{link}").status, 404)
            made = second.call("POST", "/v1/share-links", {"personaId": persona, "isPrimary": True})
            self.assertEqual(made.status, 201, made.body)


if __name__ == "__main__":
    main()
