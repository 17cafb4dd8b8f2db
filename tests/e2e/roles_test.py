"""What people may do by their role, and what those of another workspace see: every operation of our
own API, one by one.

SPDX-License-Identifier: Apache-2.0
"""

import json
import unittest

import openapi
from accounts_test import PASSWORD, Person
from cases import Stage, main, wait_until

# The table of src/rules/role.h, each role with what it adds to the one before.
ADDS = {
    "viewer": {"sessions:read", "conversations:read", "personas:read", "keys:read", "apps:read",
               "usage:read", "members:read"},
    "developer": {"tokens:mint", "tokens:revoke", "sessions:end", "conversations:write",
                  "tts:speak", "personas:write", "keys:verify", "rooms:mint", "audit:read"},
    "admin": {"keys:write", "apps:write", "members:write"},
    "owner": {"workspace:write"},
}
ROLES = list(ADDS)
NONE = "00000000-0000-4000-8000-000000000000"


def permissions_of(role):
    return set().union(*(ADDS[each] for each in ROLES[: ROLES.index(role) + 1]))


class Workspaces(unittest.TestCase):
    """One server: a workspace with somebody of each role, and a stranger who owns another one."""

    @classmethod
    def setUpClass(cls):
        cls.server = Stage('[accounts]\nsign_up = "open"\n').__enter__()
        cls.addClassCleanup(cls.server.close)
        cls.people = {role: cls.person(role, role) for role in ROLES}
        cls.stranger = cls.person("stranger", None)
        cls.description = openapi.Description()

    @classmethod
    def person(cls, name, role):
        who = {"email": f"{name}@example.com", "password": PASSWORD}
        code = {}
        if role:
            made = cls.server.must("member", "invite", "--email", who["email"], "--role", role,
                                   "--json")
            code = {"invitation_code": json.loads(made)["code"]}
        reply = cls.server.http("POST", "/v1/accounts", body=who | code)
        assert reply.status == 201, reply.body
        return Person(cls.server, who["email"]).log_in()

    def operations(self):
        """Those that read a credential: id, method, path with ids that nobody has, description."""
        for (method, template), operation in self.description.operations.items():
            if "security" not in operation:
                parts = {name: "none" for name in
                         (one["name"] for one in operation.get("parameters", ()))}
                yield operation["operationId"], method, template.format_map(parts), operation


class Roles(Workspaces):
    # Rule role-permissions.
    def test_each_role_has_the_permissions_of_the_table_and_no_other(self):
        for role, person in self.people.items():
            me = person.call("GET", "/v1/me").json()
            self.assertEqual((me["role"], set(me["permissions"])), (role, permissions_of(role)))

    # Rule role-permissions.
    # Rule permission-nothing-by-default.
    def test_each_operation_is_403_for_those_whose_role_lacks_it_and_not_for_the_others(self):
        shown = 0
        for operation_id, method, path, operation in self.operations():
            needs = operation.get("x-permission")
            if needs is None:
                continue
            for role, person in self.people.items():
                with self.subTest(f"{operation_id} by {role}"):
                    body = {} if "requestBody" in operation else None
                    reply = person.call(method, path, body)
                    is_for_keys = operation.get("x-callers") == "API keys"
                    if is_for_keys and needs in permissions_of(role):
                        self.assertEqual(reply.status, 401, "a call for keys")
                    elif needs in permissions_of(role):
                        self.assertIn(reply.status, (200, 201, 400, 404), reply.body)
                    else:
                        self.assertEqual(reply.status, 403, reply.body)
                        self.assertIn(needs, reply.json()["detail"])
                    shown += 1
        self.assertGreaterEqual(shown, 25 * len(ROLES))

    # Rule role-permissions.
    def test_operations_without_a_permission_are_for_everybody_but_the_removal_of_others(self):
        own = {op: (method, path) for op, method, path, operation in self.operations()
               if "x-permission" not in operation}
        open_to_all = {"get_me", "list_workspaces"}
        # What they change is the caller's own; other tests show them to work.
        about_oneself = {"log_out_everywhere", "change_password", "accept_invitation",
                         "revoke_own_key"}
        self.assertEqual(set(own), open_to_all | about_oneself | {"remove_member"})
        other = self.people["developer"].id
        for role, person in self.people.items():
            for operation_id in open_to_all:
                self.assertEqual(person.call(*own[operation_id]).status, 200)
            # Whoever is a member may read who is.
            self.assertEqual(person.call("DELETE", "/v1/members/none").status, 404)
            if "members:write" not in permissions_of(role) and person.id != other:
                self.assertEqual(person.call("DELETE", f"/v1/members/{other}").status, 403)

    # Rule role-permissions.
    # Rule member-role-ceiling.
    def test_a_viewer_acting_as_owner_is_refused_everywhere_and_nothing_changes(self):
        viewer, owner = self.people["viewer"], self.people["owner"]
        app = {"app_id": self.server.app_id, "environment": "test"}
        key = owner.call("POST", "/v1/keys", app | {"name": "made"}).json()
        session = self.server.session()
        self.addCleanup(session.websocket.wire.drop)
        tries = [
            ("PATCH", f"/v1/members/{viewer.id}", {"role": "owner"}),
            ("PATCH", f"/v1/members/{owner.id}", {"role": "viewer"}),
            ("DELETE", f"/v1/members/{owner.id}", None),
            ("POST", "/v1/invitations", {"email": "eve@example.com", "role": "owner"}),
            ("POST", "/v1/keys", app | {"name": "theirs"}),
            ("POST", "/v1/keys/import", app | {"keys": [{"name": "x", "sha256": "0" * 64}]}),
            ("POST", f"/v1/keys/{key['id']}/revoke", {}),
            ("POST", f"/v1/keys/{key['id']}/freeze", {}),
            ("POST", f"/v1/keys/{key['id']}/rotate", {}),
            ("POST", f"/v1/apps/{app['app_id']}/rotate-keys", {"environment": "test"}),
            ("POST", "/v1/apps", {"name": "theirs"}),
            ("PATCH", f"/v1/apps/{app['app_id']}", {"name": "theirs"}),
            ("PUT", f"/v1/apps/{app['app_id']}/end-users/ada", {"rate_limit": "unlimited"}),
            ("DELETE", f"/v1/apps/{app['app_id']}/end-users/ada", None),
            ("POST", "/v1/session-tokens", app),
            ("POST", "/v1/session-tokens/revoke", {"app_id": app["app_id"], "environment": "test"}),
            ("POST", f"/v1/live-sessions/{session.connection_id}/end", {}),
            ("GET", "/v1/audit", None),
        ]
        state = lambda: [owner.call("GET", path).json() for path in (
            "/v1/members", "/v1/invitations", "/v1/keys?environment=test&app_id=" + app["app_id"],
            "/v1/live-sessions")]
        before = state()
        for method, path, body in tries:
            reply = viewer.call(method, path, body)
            self.assertEqual(reply.status, 403, (method, path, reply.body))
            # Naming the workspace, or calling oneself its owner, helps nobody.
            workspace = owner.call("GET", "/v1/me").json()["workspace_id"]
            reply = viewer.call(method, path, body, Stagedoor_Workspace=workspace, X_Role="owner")
            self.assertEqual(reply.status, 403, (method, path, reply.body))
        self.assertEqual(state(), before)
        self.assertTrue(session.still_serves())


class AnotherWorkspace(Workspaces):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owner = cls.people["owner"]
        cls.app = {"app_id": cls.server.app_id, "environment": "test"}
        made = cls.owner.call("POST", "/v1/keys", cls.app | {"name": "made"})
        cls.key = made.json()["id"]
        bearer = {"Authorization": f"Bearer {cls.server.api_key}"}
        cls.persona = cls.server.http("POST", "/v1/personas", bearer, {"name": "Ada"}).json()["id"]
        cls.link = cls.server.http(
            "POST", "/v1/share-links", bearer, {"personaId": cls.persona}).json()["id"]
        cls.conversation = cls.server.http(
            "POST", "/v1/conversations", bearer, {}).json()["data"]["id"]
        cls.live = cls.server.session(cls.server.token())
        cls.addClassCleanup(cls.live.websocket.wire.drop)
        cls.invitation = cls.owner.call(
            "POST", "/v1/invitations", {"email": "bo@example.com", "role": "viewer"}
        ).json()["invitation"]["id"]

    def pairs(self):
        """What the stranger asks, with {} for an id, and the ids: of the workspace's and none."""
        apps, keys = (self.server.app_id, "app_none"), (self.key, "key_0000000000000000")
        for path in ("", "/blast-radius"):
            yield "GET", "/v1/keys/{}" + path, None, keys
        for path in ("freeze", "unfreeze", "revoke", "rotate"):
            yield "POST", "/v1/keys/{}/" + path, {}, keys
        yield "GET", "/v1/keys?environment=test&app_id={}", None, apps
        yield "POST", "/v1/keys", {"app_id": "{}", "environment": "test", "name": "x"}, apps
        yield "POST", "/v1/apps/{}/rotate-keys", {"environment": "test"}, apps
        yield "GET", "/v1/apps/{}", None, apps
        yield "PATCH", "/v1/apps/{}", {"name": "x"}, apps
        yield "GET", "/v1/apps/{}/end-users", None, apps
        for method, body in (("GET", None), ("PUT", {"rate_limit": "1/hour"}), ("DELETE", None)):
            yield method, "/v1/apps/{}/end-users/ada", body, apps
        yield "POST", "/v1/session-tokens", {"app_id": "{}", "environment": "test"}, apps
        listener = {"channel": "lobby", "account": "ada", "role": "subscriber"}
        yield ("POST", "/v1/room-tokens/agora",
               listener | {"app_id": "{}", "environment": "test"}, apps)
        for name, ids in (("api_key_id", keys), ("app_id", apps)):
            yield "POST", "/v1/session-tokens/revoke", {name: "{}", "environment": "test"}, ids
        sessions = (self.live.connection_id, "20200101000000_AAAAAAAAAAAA")
        yield "GET", "/v1/live-sessions/{}", None, sessions
        yield "POST", "/v1/live-sessions/{}/end", {}, sessions
        for path in ("", "/transcript", "/recording", "/analytics"):
            yield "GET", "/v1/sessions/{}" + path, None, sessions
        yield "POST", "/v1/sessions/{}/stop", {}, sessions
        yield "DELETE", "/v1/sessions/{}", None, sessions
        yield "GET", "/v1/sessions/concurrency?appId={}", None, apps
        for path in ("", "/keys", "/end-users"):
            yield "GET", "/v1/usage" + path + "?app_id={}", None, apps
        for method, body in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)):
            yield method, "/v1/personas/{}?environment=test", body, (self.persona, NONE)
        for method, body in (("GET", None), ("PUT", {"type": "LINK"}), ("DELETE", None)):
            yield method, "/v1/share-links/{}?environment=test", body, (self.link, NONE)
        app = "&environment=test"
        yield "GET", "/v1/conversations?appId={}" + app, None, apps
        for method, path, body in (("GET", "", None), ("POST", "/end", {}), ("DELETE", "", None)):
            yield (method, "/v1/conversations/{}" + path + f"?appId={self.server.app_id}" + app,
                   body, (self.conversation, NONE))
        members = (self.owner.id, "acc_none")
        yield "PATCH", "/v1/members/{}", {"role": "viewer"}, members
        yield "DELETE", "/v1/members/{}", None, members
        yield "DELETE", "/v1/invitations/{}", None, (self.invitation, "ivt_none")

    def answers(self, method, path, body, ids):
        """The bodies, as bytes, but for the ids that they name."""
        told = []
        for one in ids:
            sent = body and {name: value.format(one) for name, value in body.items()}
            reply = self.stranger.call(method, path.format(one), sent)
            said = reply.body.replace(one.encode(), b"ID")
            said = said.replace(("req_" + reply.headers["X-Request-Id"]).encode(), b"REQUEST")
            told.append((reply.status, said))
        return told

    # Rule persona-of-one-workspace.
    # Rule share-link-of-one-workspace.
    # Rule conversation-of-one-app.
    # Rule live-session-of-its-app.
    # Rule app-chosen-by-its-owner.
    def test_whatever_is_of_another_workspace_is_404_with_the_bytes_of_nothing(self):
        for asked in self.pairs():
            with self.subTest(f"{asked[0]} {asked[1]}"):
                theirs, none = self.answers(*asked)
                self.assertEqual(theirs[0], 404, theirs)
                self.assertEqual(theirs, none)

    # Rule audit-read-by-its-owners.
    def test_lists_hold_nothing_of_another_workspace(self):
        self.assertEqual(self.stranger.call("GET", "/v1/live-sessions").json()["data"], [])
        self.assertEqual(self.stranger.call("GET", "/v1/sessions").json()["data"], [])
        self.assertEqual(self.stranger.call("GET", "/v1/usage").json()["data"], [])
        self.assertEqual(
            self.stranger.call("GET", "/v1/personas?environment=test").json()["data"], [])
        self.assertEqual(
            self.stranger.call("GET", "/v1/share-links?environment=test").json()["data"], [])
        audit = self.stranger.call("GET", "/v1/audit?limit=1000").json()["data"]
        own = self.stranger.call("GET", "/v1/me").json()["workspace_id"]
        self.assertLessEqual({entry["workspace_id"] for entry in audit}, {own})
        theirs = self.owner.call("GET", "/v1/audit?limit=1000").json()["data"]
        self.assertTrue(any(entry["subject"] == self.key for entry in theirs))
        for name, value in (("subject", self.key), ("actor", self.owner.id)):
            found = self.stranger.call("GET", f"/v1/audit?{name}={value}").json()["data"]
            self.assertEqual(found, [], name)

    # Rule app-chosen-by-its-owner.
    def test_naming_the_workspace_of_others_is_404_as_naming_none(self):
        workspace = self.owner.call("GET", "/v1/me").json()["workspace_id"]
        for operation_id, method, path, operation in self.operations():
            if operation.get("x-callers") == "API keys":
                continue
            with self.subTest(operation_id):
                told = []
                for name in (workspace, "ws_nobody"):
                    reply = self.stranger.call(method, path, None, Stagedoor_Workspace=name)
                    told.append((reply.status, reply.body))
                self.assertEqual(told[0][0], 404)
                self.assertEqual(told[0], told[1])

    def test_nothing_of_it_has_changed(self):
        for asked in self.pairs():
            self.answers(*asked)
        key = self.owner.call("GET", f"/v1/keys/{self.key}").json()
        self.assertEqual((key["state"], key["replaced_by"]), ("good", None))
        self.assertTrue(self.live.still_serves())
        self.assertEqual(self.owner.call("GET", "/v1/me").json()["role"], "owner")
        wait_until(lambda: self.server.is_admitted(self.server.token()), "the app to go on")


if __name__ == "__main__":
    main()
