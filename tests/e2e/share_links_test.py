"""/v1/share-links and POST /v1/auth/share-link, against the real binary: links that open sessions with
a persona for anybody.

SPDX-License-Identifier: Apache-2.0
"""

import concurrent.futures
import contextlib
import json
import sqlite3
import unittest

from accounts_test import PASSWORD, Person
from cases import AnamCase, NOBODY, Stage, bearer, claims_of, live_key, main, wait_until

PATH = "/v1/share-links"
OPEN = "/v1/auth/share-link"


def signed(key_id):
    """As the database has it: a whole number of 64 bits with its sign."""
    return int.from_bytes(bytes.fromhex(key_id.removeprefix("key_")), "big", signed=True)


class LinkCase(AnamCase):
    path = PATH
    settings = '[accounts]\nsign_up = "open"\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.persona = cls.made_persona()

    @classmethod
    def made_persona(cls):
        made = cls.server.http("POST", "/v1/personas", bearer(cls.server.api_key),
                               {"name": "Ada", "systemPrompt": "You are Ada."})
        return made.json()["id"]

    def create(self, key=None, **members):
        return self.created({"personaId": self.persona} | members, key)

    def open(self, link, **headers):
        token = link if isinstance(link, str) else link["token"]
        return self.server.http("POST", OPEN, headers, {"shareToken": token})

    def is_open(self, link, **headers):
        return self.open(link, **headers).status == 200

    @contextlib.contextmanager
    def store(self):
        """The database, as another process has it."""
        path = self.server.data / "stagedoor.db"
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as store, store:
            yield store

    def person(self, name, role):
        email = f"{name}@example.com"
        code = json.loads(self.server.must("member", "invite", "--email", email, "--role", role,
                                           "--json"))["code"]
        self.server.http("POST", "/v1/accounts",
                         body={"email": email, "password": PASSWORD, "invitation_code": code})
        return Person(self.server, email).log_in()


class Keeping(LinkCase):
    def test_201_gives_a_link_with_the_vendors_defaults(self):
        link = self.create()
        self.assertRegex(link["token"], r"^sh_[0-9A-Za-z]{32}$")
        self.assertEqual(
            {name: link[name] for name in (
                "type", "usageLimit", "usageCount", "allowedOrigins", "allowAllOrigins",
                "removeWatermark", "enabled", "isPrimary", "personaId", "personaName",
                "organizationId")},
            {"type": "LINK", "usageLimit": 10, "usageCount": 0, "allowedOrigins": [],
             "allowAllOrigins": False, "removeWatermark": False, "enabled": True,
             "isPrimary": False, "personaId": self.persona, "personaName": "Ada",
             "organizationId": self.server.initialised["workspace_id"]})
        self.assertLess(link["createdAt"], link["expiresAt"])
        self.assertEqual(self.call("GET", "/" + link["id"]).json(), link)

    def test_PUT_changes_what_it_names_and_DELETE_takes_it_away(self):
        link = self.create(expiresInHours=1)
        wish = {"usageLimit": 50, "type": "ORB_EMBED", "enabled": False, "removeWatermark": True,
                "allowedOrigins": ["https://a.example"], "allowAllOrigins": True}
        changed = self.call("PUT", "/" + link["id"], wish)
        self.assertEqual(changed.status, 200, changed.body)
        now = changed.json()
        self.assertEqual(now, link | wish | {"updatedAt": now["updatedAt"]})
        self.assertEqual(self.call("GET", "/" + link["id"]).json(), now)
        endless = self.call("PUT", "/" + link["id"], {"expiresInHours": None, "usageLimit": None})
        self.assertEqual((endless.json()["expiresAt"], endless.json()["usageLimit"]), (None, None))
        gone = self.call("DELETE", "/" + link["id"])
        self.assertEqual((gone.status, "message" in gone.json()), (200, True))
        self.assert_refused(self.call("GET", "/" + link["id"]), 404, "Not Found")

    def test_lists_show_the_newest_first_by_pages_of_20_and_of_one_persona(self):
        other = self.made_persona()
        links = [self.create(personaId=other) for _ in range(21)]
        page = self.call("GET", f"?personaId={other}").json()
        self.assertEqual([one["id"] for one in page["data"]],
                         [one["id"] for one in reversed(links)][:20])
        self.assertEqual((page["meta"]["total"], page["meta"]["perPage"], page["meta"]["next"]),
                         (21, 20, 2))
        second = self.call("GET", f"?personaId={other}&page=3&perPage=10").json()
        self.assertEqual(len(second["data"]), 1)
        self.assertEqual(self.call("GET", "?search=" + links[0]["id"]).json()["data"], [links[0]])
        self.assertEqual(self.call("GET", "?personaId=" + NOBODY).json()["data"], [])

    # Rule share-link-one-primary.
    def test_a_persona_tells_its_links_and_has_one_primary_one(self):
        persona = self.made_persona()
        shown = lambda: self.server.http("GET", "/v1/personas/" + persona,
                                         bearer(self.server.api_key)).json()
        self.assertEqual((shown()["shareLinks"], shown()["primaryShareLink"]), (None, None))
        first = self.create(personaId=persona, isPrimary=True)
        second = self.create(personaId=persona)
        self.assertEqual(shown()["shareLinks"], [second, first])
        self.assertEqual(shown()["primaryShareLink"], {"token": first["token"], "enabled": True})
        self.call("PUT", "/" + second["id"], {"isPrimary": True, "enabled": False})
        self.assertEqual(shown()["primaryShareLink"], {"token": second["token"], "enabled": False})
        self.assertFalse(self.call("GET", "/" + first["id"]).json()["isPrimary"])
        self.server.http("DELETE", "/v1/personas/" + persona, bearer(self.server.api_key))
        self.assert_refused(self.call("GET", "/" + first["id"]), 404, "Not Found")
        self.assertFalse(self.is_open(first))

    # Rule share-link-sealed.
    def test_a_token_is_in_no_file_and_in_no_log(self):
        link = self.create()
        self.assertTrue(self.is_open(link))
        self.server.http("GET", "/share/" + link["token"])
        token = link["token"].encode()
        for file in self.server.data.iterdir():
            if file.is_file():
                self.assertNotIn(token, file.read_bytes(), file)
        self.assertNotIn(link["token"], self.server.log())

    def test_changes_and_uses_stand_in_the_audit_log(self):
        link = self.create()
        self.call("PUT", "/" + link["id"], {"usageLimit": 2})
        self.open(link)
        self.call("DELETE", "/" + link["id"])
        said = [(action, entry["detail"]) for action in ("create", "change", "use", "remove")
                for entry in self.server.audited("share_link." + action)
                if entry["subject"] == link["id"]]
        self.assertEqual(said, [("create", self.persona), ("change", "test"), ("use", "test"),
                                ("remove", "test")])


class Opening(LinkCase):
    def test_anybody_trades_the_token_for_a_session_token_of_the_persona(self):
        reply = self.open(self.create())
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "*")
        self.assertEqual(reply.headers["Cache-Control"], "no-store")
        self.assertEqual(reply.json()["personaName"], "Ada")
        claims = claims_of(reply.json()["sessionToken"])
        self.assertEqual((claims["type"], claims["uses"]), ("stateful", 1))
        self.assertLessEqual(claims["exp"] - claims["iat"], 600)
        began = self.server.http("POST", "/v1/engine/session",
                                 bearer(reply.json()["sessionToken"]), {})
        self.assertEqual(began.status, 200, began.body)
        self.assertEqual(self.server.http("OPTIONS", OPEN).status, 204)

    # Rule share-link-ends-what-it-opened.
    def test_with_a_link_that_is_disabled_or_taken_away_ends_what_it_opened(self):
        started = lambda token: self.server.http("POST", "/v1/engine/session", bearer(token), {})
        session = lambda id: self.server.http("GET", "/v1/sessions/" + id,
                                              bearer(self.server.api_key)).json()
        for method, body in (("PUT", {"enabled": False}), ("DELETE", None)):
            link, other = self.create(), self.create()
            tokens = [self.open(one).json()["sessionToken"] for one in (link, link, other, other)]
            ended, goes_on = (started(tokens[at]).json()["sessionId"] for at in (0, 2))
            self.assertEqual(self.call(method, "/" + link["id"], body).status, 200)
            self.assertEqual(started(tokens[1]).status, 401)
            wait_until(lambda: session(ended)["end_reason"] == "revoked", "the session to end")
            self.assertEqual(session(goes_on)["state"], "live")
            self.assertEqual(started(tokens[3]).status, 200)
            self.assertEqual(self.call("PUT", "/" + other["id"], {"usageLimit": 99}).status, 200)
            self.assertEqual(session(goes_on)["state"], "live")
            if method == "PUT":
                self.call("PUT", "/" + link["id"], {"enabled": True})
                again = self.open(link).json()["sessionToken"]
                self.assertEqual(started(again).status, 200)

    # Rule share-link-ends-what-it-opened.
    def test_a_persona_that_is_taken_away_ends_what_its_links_opened(self):
        key = bearer(self.server.api_key)
        started = lambda token: self.server.http("POST", "/v1/engine/session", bearer(token), {})
        session = lambda id: self.server.http("GET", "/v1/sessions/" + id, key).json()
        persona = self.made_persona()
        links = [self.create(personaId=persona), self.create(personaId=persona), self.create()]
        opened = [self.open(link).json()["sessionToken"] for link in links]
        unspent = [self.open(link).json()["sessionToken"] for link in links]
        first, second, other = (started(token).json()["sessionId"] for token in opened)
        removed = self.server.http("DELETE", "/v1/personas/" + persona, key)
        self.assertEqual(removed.status, 200, removed.body)
        self.assertEqual([started(token).status for token in unspent], [401, 401, 200])
        for ended in (first, second):
            wait_until(lambda: session(ended)["end_reason"] == "revoked", "the session to end")
        self.assertEqual(session(other)["state"], "live")

    # Rule share-link-counted-exactly.
    def test_of_any_number_of_simultaneous_visitors_exactly_so_many_get_in(self):
        link = self.create(usageLimit=7)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda _: self.open(link).status, range(48)))
        self.assertEqual((statuses.count(200), statuses.count(404)), (7, 41))
        self.assertEqual(self.call("GET", "/" + link["id"]).json()["usageCount"], 7)
        self.call("PUT", "/" + link["id"], {"usageLimit": 8})
        self.assertEqual([self.open(link).status for _ in range(2)], [200, 404])

    # Rule share-link-tells-nothing.
    def test_whatever_opens_nothing_is_told_the_same(self):
        disabled, expired, used = self.create(enabled=False), self.create(), self.create(usageLimit=1)
        self.open(used)
        with self.store() as store:
            store.execute("UPDATE share_links SET expires_at = 1 WHERE id = ?", [expired["id"]])
        gone = self.create()
        self.call("DELETE", "/" + gone["id"])
        elsewhere = self.create(allowedOrigins=["https://a.example"])
        broken = self.create(personaId=self.persona_without_avatar())
        links = (disabled, expired, used, gone, elsewhere, broken, "sh_" + "a" * 32, "sh_", "x")
        replies = [self.open(link) for link in links]
        for reply in replies:
            self.assert_refused(reply, 404, "Not Found")
        self.assertEqual(len({reply.body for reply in replies}), 1)
        self.assertEqual(self.call("GET", "/" + elsewhere["id"]).json()["usageCount"], 0)

    def persona_without_avatar(self):
        """One that can't be played any more."""
        live = self.server.must("avatar", "create", "--name", "Gone", "--json",
                                "--workspace", self.server.initialised["workspace_id"])
        avatar = json.loads(live)["id"]
        body = {"name": "Ada", "avatarId": avatar}
        make = lambda: self.server.http("POST", "/v1/personas", bearer(self.server.api_key), body)
        wait_until(lambda: make().status == 201, "the avatar to be known")
        persona = make().json()["id"]
        owner = live_key(self.server)
        removed = self.server.http("DELETE", "/v1/avatars/" + avatar, bearer(owner))
        self.assertEqual(removed.status, 200, removed.body)
        return persona

    def test_the_owners_find_the_reason_in_their_audit_log(self):
        link = self.create(enabled=False)
        self.open(link)
        said = wait_until(
            lambda: [entry for entry in self.server.audited("POST " + OPEN)
                     if entry["subject"] == link["id"]], "the refusal to be noted")
        self.assertEqual(said[0]["detail"], "the share link is disabled")
        self.assertEqual(said[0]["workspace_id"], self.server.initialised["workspace_id"])

    # Rule share-link-origins.
    def test_a_link_with_origins_is_for_their_pages_and_so_are_its_session_tokens(self):
        link = self.create(allowedOrigins=["https://a.example"])
        self.assertFalse(self.is_open(link, Origin="https://b.example"))
        opened = self.open(link, Origin="https://a.example")
        self.assertEqual(opened.status, 200)
        token = opened.json()["sessionToken"]
        for origin, status in (("https://b.example", 403), ("https://a.example", 200)):
            began = self.server.http("POST", "/v1/engine/session",
                                     bearer(token) | {"Origin": origin}, {})
            self.assertEqual(began.status, status, began.body)
        self.call("PUT", "/" + link["id"], {"allowAllOrigins": True})
        self.assertTrue(self.is_open(link, Origin="https://b.example"))

    def test_400_for_what_is_no_wish(self):
        for body, path in (({}, "shareToken"), ({"shareToken": 7}, "shareToken"), ([], "")):
            self.assert_refused(self.server.http("POST", OPEN, {}, body), 400, "Bad Request", path)
        self.assert_refused(self.server.http("POST", OPEN, {}, "{"), 400, "Bad Request")


class Strangers(LinkCase):
    settings = '[limits]\nstranger = "1/min burst 3"\napi_key_free = "unlimited"\n'

    # Rule rate-limit-by-network.
    def test_429_for_whoever_tries_too_often_also_with_a_good_token(self):
        link = self.create()
        statuses = [self.open("sh_" + "b" * 32).status for _ in range(3)]
        self.assertEqual(statuses, [404] * 3)
        reply = self.open(link)
        self.assert_refused(reply, 429, "Too Many Requests")
        self.assertTrue(reply.headers["Retry-After"].isdigit())


# Rule share-link-rests-on-its-maker.
class Makers(LinkCase):
    def test_a_link_ends_with_the_key_that_made_it_and_goes_on_with_whoever_takes_it_over(self):
        key = self.key_with("personas:*", "tokens:mint", "keys:read")
        link = self.create(key=key["api_key"])
        self.assertTrue(self.is_open(link))
        act = lambda verb: self.server.http("POST", f"/v1/keys/{key['id']}/{verb}",
                                            bearer(self.server.api_key), {})
        act("freeze")
        self.assertFalse(self.is_open(link))
        act("unfreeze")
        self.assertTrue(self.is_open(link))
        act("revoke")
        self.assertFalse(self.is_open(link))
        self.assertEqual(self.call("PUT", "/" + link["id"], {}).status, 200)
        self.assertTrue(self.is_open(link))

    def test_a_link_ends_with_the_expiry_of_the_key_that_made_it(self):
        key = self.key_with("personas:*", "tokens:mint")
        link = self.create(key=key["api_key"])
        self.assertTrue(self.is_open(link))
        with self.store() as store:
            changed = store.execute("UPDATE api_keys SET expires_at = 1000 WHERE id = ?",
                                    [signed(key["id"])])
            self.assertEqual(changed.rowcount, 1)
        self.assertFalse(self.is_open(link))

    def test_without_tokens_mint_nobody_makes_or_changes_one_or_sees_its_token(self):
        link = self.create(isPrimary=True)
        writer = self.key_with("personas:*")["api_key"]
        self.assert_refused(self.call("POST", body={"personaId": self.persona}, key=writer), 403,
                            "Forbidden")
        self.assert_refused(self.call("PUT", "/" + link["id"], {}, writer), 403, "Forbidden")
        self.assertIsNone(self.call("GET", "/" + link["id"], key=writer).json()["token"])
        listed = self.call("GET", key=writer).json()["data"]
        self.assertEqual({one["token"] for one in listed}, {None})
        persona = self.server.http("GET", "/v1/personas/" + self.persona, bearer(writer)).json()
        self.assertIsNone(persona["primaryShareLink"]["token"])
        self.assertEqual({one["token"] for one in persona["shareLinks"]}, {None})
        self.assertEqual(self.call("DELETE", "/" + link["id"], key=writer).status, 200)

    def test_403_for_whoever_may_only_look(self):
        link, reader = self.create(), self.key_with("personas:read", "tokens:mint")["api_key"]
        self.assertEqual(self.call("GET", "/" + link["id"], key=reader).json(), link)
        for method, path, body in (("POST", "", {"personaId": self.persona}),
                                   ("PUT", "/" + link["id"], {}), ("DELETE", "/" + link["id"], None)):
            self.assert_refused(self.call(method, path, body, reader), 403, "Forbidden")

    def test_a_persons_link_ends_with_their_role_and_with_a_log_out_everywhere(self):
        dev, owner = self.person("dev", "developer"), self.person("owner", "owner")
        where = f"?environment=test&appId={self.server.app_id}"
        made = dev.call("POST", PATH + where, {"personaId": self.persona})
        self.assertEqual(made.status, 201, made.body)
        link = made.json()
        self.assertTrue(self.is_open(link))
        self.assertEqual(claims_of(self.open(link).json()["sessionToken"])["app"],
                         self.server.app_id)
        self.assertEqual(dev.call("POST", "/v1/logout-everywhere").status, 204)
        self.assertFalse(self.is_open(link))
        dev = Person(self.server, "dev@example.com").log_in()
        path = f"{PATH}/{link['id']}?environment=test"
        self.assertEqual(dev.call("PUT", path, {}).status, 200)
        self.assertTrue(self.is_open(link))
        for role in ("viewer", "developer"):
            owner.call("PATCH", f"/v1/members/{dev.id}", {"role": role})
            self.assertEqual(self.is_open(link), role == "developer", role)
        owner.call("DELETE", f"/v1/members/{dev.id}")
        self.assertFalse(self.is_open(link))

    def test_a_person_names_the_app(self):
        owner = self.person("namer", "owner")
        body = {"personaId": self.persona}
        reply = owner.call("POST", PATH + "?environment=test", body)
        self.assert_refused(reply, 400, "Bad Request", "appId")
        reply = owner.call("POST", PATH + "?environment=test&appId=app_none", body)
        self.assert_refused(reply, 404, "Not Found")


class Refusals(LinkCase):
    def test_400_names_the_member(self):
        link = self.create()["id"]
        for change, path in (
            ({"expiresInHours": 0}, "expiresInHours"), ({"usageLimit": 0}, "usageLimit"),
            ({"usageLimit": "x"}, "usageLimit"), ({"type": "x"}, "type"),
            ({"allowedOrigins": ["example.com/x"]}, "allowedOrigins[0]"),
            ({"allowedOrigins": ["https://a.example"] * 9}, "allowedOrigins"),
            ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
            ({"expiresAt": "2999-01-01T00:00:00Z"}, "expiresAt"), ({"expiresAt": "x"}, "expiresAt"),
            ({"expiresAt": "2030-01-01T00:00:00Z", "expiresInHours": 1}, "expiresAt"),
            ({"enabled": 1}, "enabled")):
            body = {"personaId": self.persona} | change
            self.assert_refused(self.call("POST", body=body), 400, "Bad Request", path)
            self.assert_refused(self.call("PUT", "/" + link, change), 400, "Bad Request", path)
        self.assert_refused(self.call("POST", body={}), 400, "Bad Request", "personaId")
        self.assert_refused(self.call("PUT", "/" + link, {"unknown": 1}), 400, "Bad Request",
                            "unknown")
        self.assert_refused(self.call("GET", "?perPage=101"), 400, "Bad Request", "perPage")

    def test_404_for_a_persona_that_is_not_there(self):
        for persona, key in ((NOBODY, None), (self.persona, live_key(self.server))):
            reply = self.call("POST", body={"personaId": persona}, key=key)
            self.assert_refused(reply, 404, "Not Found")

    # Rule share-link-of-one-workspace.
    def test_404_for_others_is_that_for_nothing(self):
        link, live = self.create()["id"], live_key(self.server)
        self.server.insert("workspaces", "ws_other", "Other", 0)
        self.server.insert("personas", "foreign", "ws_other", 1, "X", '{"name":"X"}', 0, 0, None, 1)
        with self.store() as store:
            columns = [row[1] for row in store.execute("PRAGMA table_info(share_links)")]
            put = {"id": "'theirs'", "workspace_id": "'ws_other'", "persona_id": "'foreign'",
                   "token_hash": "x'00'"}
            store.execute(f"INSERT INTO share_links SELECT "
                          f"{', '.join(put.get(name, name) for name in columns)} "
                          "FROM share_links WHERE id = ?", [link])
        for id, key in ((link, live), ("theirs", None)):
            self.assert_all_404((("GET", None), ("PUT", {}), ("DELETE", None)), "/" + id, key)
        self.assertEqual(self.call("GET", key=live).json()["data"], [])

    def test_409_for_more_than_a_persona_may_have(self):
        persona = self.made_persona()
        for _ in range(100):
            self.create(personaId=persona)
        reply = self.call("POST", body={"personaId": persona})
        self.assert_refused(reply, 409, "Conflict")


class Rotation(unittest.TestCase):
    # Rule kept-secret-survives-rotation.
    def test_links_open_after_the_server_secret_was_rotated_twice(self):
        with Stage() as server:
            key = bearer(server.api_key)
            persona = server.http("POST", "/v1/personas", key, {"name": "Ada"}).json()["id"]
            link = server.http("POST", PATH, key, {"personaId": persona}).json()
            for _ in range(2):
                server.halt()
                server.must("secret", "rotate")
                server.start()
                reply = server.http("POST", OPEN, {}, {"shareToken": link["token"]})
                self.assertEqual(reply.status, 200, reply.body)
                shown = server.http("GET", f"{PATH}/{link['id']}", key).json()
                self.assertEqual(shown["token"], link["token"])


if __name__ == "__main__":
    main()
