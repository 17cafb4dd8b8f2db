"""/v1/avatars, against the real binary: the avatars of a workspace in Anam's shapes, beside another
vendor's calls of the same path.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import contextlib
import json
import sqlite3
import struct

from anam_mint_test import CARA, PATH as MINT
from cases import AnamCase, NOBODY, bearer, claims_of, live_key, main

PATH = "/v1/avatars"


class AvatarCase(AnamCase):
    path = PATH

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.live = live_key(cls.server)

    def call(self, method, path="", body=None, key=None):
        return super().call(method, path, body, key or self.live)

    def create(self, **members):
        return self.created({"displayName": "Guide", **members})

    def listed(self, query="", key=None):
        reply = self.call("GET", query, key=key)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()["data"]


class Keeping(AvatarCase):
    def test_201_gives_the_avatar_as_it_is_kept(self):
        avatar = self.create(displayName="Porter", character="bruno")
        self.assertEqual((avatar["displayName"], avatar["character"]), ("Porter", "bruno"))
        self.assertEqual(avatar["renderStyle"], "illustrated")
        self.assertEqual(avatar["createdByOrganizationId"], self.server.initialised["workspace_id"])
        for member in ("variantName", "imageUrl", "videoUrl"):
            self.assertIsInstance(avatar[member], str)
        for member in ("landscapeImageUrl", "portraitImageUrl", "idleVideoUrl", "createdAt",
                       "updatedAt", "availableVersions", "activeVersion", "description",
                       "displayTags"):
            self.assertIn(member, avatar)
        shown = self.call("GET", "/" + avatar["id"]).json()
        self.assertEqual({name: shown[name] for name in avatar if name != "meta"},
                         {name: avatar[name] for name in avatar if name != "meta"})

    def test_its_picture_is_a_png_that_anybody_may_see(self):
        avatar = self.create(character="bruno")
        path = avatar["imageUrl"].removeprefix(self.server.address)
        reply = self.server.http("GET", path)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "image/png"))
        self.assertEqual(reply.body[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", reply.body[16:24]), (720, 480))
        ada = self.server.http("GET", "/v1/characters/ada/picture.png")
        self.assertNotEqual(ada.body, reply.body)
        self.assert_refused(self.server.http("GET", "/v1/characters/none/picture.png"), 404,
                            "Not Found")

    def test_what_is_built_in_stands_behind_a_workspaces_own(self):
        avatar = self.create(displayName="Newest of all")
        listed = self.listed("?perPage=100")
        self.assertEqual(listed[0]["id"], avatar["id"])
        cara = [one for one in listed if one["id"] == CARA]
        self.assertEqual(cara[0]["createdByOrganizationId"], None)
        self.assertEqual(self.call("GET", "/" + CARA).json()["displayName"], "Cara")

    def test_lists_come_in_pages_and_by_filters(self):
        made = [self.create(displayName=f"Paged {i}", character="bruno")["id"] for i in range(3)]
        reply = self.call("GET", "?search=paged&perPage=2").json()
        self.assertEqual([one["id"] for one in reply["data"]], [made[2], made[1]])
        self.assertEqual((reply["meta"]["total"], reply["meta"]["next"]), (3, 2))
        self.assertEqual([one["id"] for one in self.listed("?search=paged&perPage=2&page=2")],
                         [made[0]])
        self.assertEqual(len(self.listed("?search=paged&tags=bruno,none")), 3)
        self.assertEqual(self.listed("?search=paged&tags=ada"), [])
        self.assertEqual(len(self.listed("?search=paged&renderStyle=illustrated")), 3)
        self.assertEqual(self.listed("?search=paged&renderStyle=realistic"), [])
        self.assertEqual(self.listed("?onlyOneShot=true"), [])

    def test_PUT_renames_it_everywhere(self):
        avatar = self.create()
        reply = self.call("PUT", "/" + avatar["id"], {"displayName": "Renamed"})
        self.assertEqual((reply.status, reply.json()["displayName"]), (200, "Renamed"))
        persona = self.server.http("POST", "/v1/personas", bearer(self.live),
                                   {"name": "P", "avatarId": avatar["id"]}).json()
        self.assertEqual(persona["avatar"]["displayName"], "Renamed")

    def test_DELETE_takes_it_away_softly_and_for_good(self):
        """Rule avatar-removed-softly."""
        avatar = self.create()["id"]
        rows = "SELECT count(*) FROM avatars WHERE id = ?"
        reply = self.call("DELETE", "/" + avatar)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertIn("message", reply.json())
        for method, body in (("GET", None), ("PUT", {"displayName": "Gone"}), ("DELETE", None)):
            self.assert_refused(self.call(method, "/" + avatar, body), 404, "Not Found")
        self.assertNotIn(avatar, [one["id"] for one in self.listed("?perPage=100")])
        mint = self.server.http("POST", MINT, bearer(self.live),
                                {"personaConfig": {"avatarId": avatar}})
        self.assert_refused(mint, 400, "Bad Request", "personaConfig.avatarId")
        self.assertEqual(self.count(rows, avatar), 1)
        self.assertEqual(self.call("DELETE", f"/{avatar}?hard=true").status, 200)
        self.assertEqual(self.count(rows, avatar), 0)
        self.assert_refused(self.call("DELETE", f"/{avatar}?hard=true"), 404, "Not Found")

    def count(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            return store.execute(sql, values).fetchone()[0]

    def test_changes_stand_in_the_audit_log(self):
        avatar = self.create()["id"]
        self.call("PUT", "/" + avatar, {"displayName": "Renamed"})
        self.call("DELETE", "/" + avatar)
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            rows = store.execute(
                "SELECT action FROM audit_log WHERE subject = ? ORDER BY number", [avatar])
            self.assertEqual([row[0] for row in rows],
                             ["avatar.create", "avatar.change", "avatar.remove"])

    def test_the_operator_makes_and_lists_them(self):
        made = json.loads(self.server.must("avatar", "create", "--name", "Of the operator",
                                           "--character", "bruno", "--json"))
        listed = [json.loads(line)
                  for line in self.server.must("avatar", "list", "--json").splitlines()]
        self.assertIn(made, listed)
        self.assertEqual(made["character"], "bruno")
        done = self.server.command("avatar", "create", "--name", "Nobody", "--character", "none")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ada", done.stderr)

    def test_a_token_is_for_the_character_that_its_avatar_names(self):
        avatar = self.create(character="bruno")["id"]
        for id, character in ((avatar, "bruno"), (CARA, "ada")):
            reply = self.server.http("POST", MINT, bearer(self.live),
                                     {"personaConfig": {"avatarId": id}})
            self.assertEqual(reply.status, 200, reply.body)
            kept = f'{{"character":"{character}","persona":{{"avatarId":"{id}"}}}}'
            address = base64.urlsafe_b64encode(self.server.address_of(kept))
            self.assertEqual(claims_of(reply.json()["sessionToken"])["persona"],
                             address.decode().rstrip("="))


class Sharing(AvatarCase):
    def test_each_vendors_clients_are_answered_in_their_own_way(self):
        """Rule avatars-by-credential."""
        open_to_all = self.server.http("GET", PATH).json()
        self.assertEqual(set(open_to_all), {"data", "meta"})
        self.assertEqual(set(open_to_all["data"][0]), {"id", "name", "modelUrl"})
        by_key = self.call("GET").json()
        for avatar in by_key["data"]:
            self.assertLessEqual({"id", "name", "modelUrl", "displayName"}, set(avatar))
        self.assertTrue(by_key["meta"]["requestId"].startswith("req_"))
        one = self.call("GET", "/" + CARA).json()
        other = self.server.http("GET", f"{PATH}/{CARA}").json()
        self.assertEqual(one["data"], other["data"])
        self.assertEqual(one["id"], CARA)

    def test_a_refusal_is_in_the_dialect_of_whoever_asked(self):
        """Rule avatars-by-credential."""
        self.assert_refused(self.call("GET", "/" + NOBODY), 404, "Not Found")
        reply = self.server.http("GET", f"{PATH}/{NOBODY}")
        self.assertEqual((reply.status, reply.json()["error"]["code"]), (404, "NOT_FOUND"))
        self.assert_refused(self.call("GET", key="av_live_nobody"), 401, "Invalid API key")
        self.assert_refused(self.call("GET", key="opaque"), 401, "Invalid API key")
        reply = self.server.http("GET", PATH, bearer("a.b.c"))
        self.assertEqual(reply.status, 200)

    def test_what_is_refused_before_anybody_is_asked_is_in_this_dialect(self):
        self.assert_refused(self.call("PATCH", ""), 405, "Method Not Allowed")
        self.assert_refused(self.call("GET", "/x/y/z"), 404, "Not Found")
        self.assert_refused(self.call("POST", "", "x" * (1 << 20 | 1)), 413, "Payload Too Large")

    def test_the_other_vendors_calls_below_go_on(self):
        reply = self.server.http("GET", PATH + "/aria-001/model")
        self.assertEqual(reply.json()["data"]["format"], "face-sheet")


class Refusals(AvatarCase):
    def test_501_for_what_would_be_made_from_a_photograph(self):
        body = {"displayName": "Somebody", "imageUrl": "https://example.com/me.jpg"}
        reply = self.call("POST", body=body)
        self.assert_refused(reply, 501, "Not Implemented")
        self.assertIn("photograph", reply.json()["message"])
        form = ('--x\r\nContent-Disposition: form-data; name="displayName"\r\n\r\nMe\r\n'
                '--x\r\nContent-Disposition: form-data; name="imageFile"; filename="avatar.jpg"'
                "\r\n\r\n\r\n--x--\r\n")
        headers = bearer(self.live) | {"Content-Type": "multipart/form-data; boundary=x"}
        self.assert_refused(self.server.http("POST", PATH, headers, form), 501, "Not Implemented")

    def test_400_names_the_member(self):
        for body, path in (({}, "displayName"), ({"displayName": "ab"}, "displayName"),
                           ({"displayName": "x" * 51}, "displayName"),
                           ({"displayName": "Guide", "character": "none"}, "character"),
                           ({"displayName": "Guide", "avatarModel": "x"}, "avatarModel")):
            self.assert_refused(self.call("POST", body=body), 400, "Bad Request", path)
        avatar = self.create()["id"]
        for body, path in (({"character": "bruno", "displayName": "Guide"}, "character"),
                           ({}, "displayName")):
            self.assert_refused(self.call("PUT", "/" + avatar, body), 400, "Bad Request", path)
        for query, path in (("?renderStyle=x", "renderStyle"), ("?onlyOneShot=1", "onlyOneShot"),
                            ("?perPage=0", "perPage")):
            self.assert_refused(self.call("GET", query), 400, "Bad Request", path)
        self.assert_refused(self.call("DELETE", f"/{avatar}?hard=1"), 400, "Bad Request", "hard")

    def test_403_for_a_test_key_and_for_what_is_built_in(self):
        """Rule avatar-changed-by-its-owners."""
        avatar, test = self.create()["id"], self.server.api_key
        self.assertEqual(self.call("GET", "/" + avatar, key=test).status, 200)
        self.assertIn(avatar, [one["id"] for one in self.listed("?perPage=100", key=test)])
        reply = self.call("POST", body={"displayName": "Guide"}, key=test)
        self.assert_refused(reply, 403, "Forbidden")
        self.assertIn("test key", reply.json()["message"])
        for path, key in (("/" + avatar, test), ("/" + CARA, self.live)):
            renamed = self.call("PUT", path, {"displayName": "Renamed"}, key=key)
            self.assert_refused(renamed, 403, "Forbidden")
            self.assert_refused(self.call("DELETE", path, key=key), 403, "Forbidden")

    def test_403_for_roles_that_may_only_look(self):
        reader = self.server.http("POST", "/v1/keys", bearer(self.live),
                                  {"name": "reads", "scopes": ["personas:read"]}).json()["api_key"]
        avatar = self.create()["id"]
        self.assertEqual(self.call("GET", key=reader).status, 200)
        self.assertEqual(self.call("GET", "/" + avatar, key=reader).status, 200)
        for method, path, body in (("POST", "", {"displayName": "Guide"}),
                                   ("PUT", "/" + avatar, {"displayName": "Guide"}),
                                   ("DELETE", "/" + avatar, None)):
            self.assert_refused(self.call(method, path, body, key=reader), 403, "Forbidden")

    def test_404_for_another_workspace_is_that_for_nothing(self):
        """Rule avatar-changed-by-its-owners."""
        self.server.insert("workspaces", "ws_other", "Other", 0)
        foreign = self.server.second_avatar("ws_other")
        for method, body in (("GET", None), ("PUT", {"displayName": "Guide"}), ("DELETE", None)):
            reply = self.call(method, "/" + foreign, body)
            self.assert_refused(reply, 404, "Not Found")
            self.assertEqual(reply.body, self.call(method, "/" + NOBODY, body).body)
        self.assertNotIn(foreign, [one["id"] for one in self.listed("?perPage=100")])


if __name__ == "__main__":
    main()
