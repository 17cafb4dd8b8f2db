"""Accounts, log-ins, members and roles over our own API; each status that each call can answer.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import sqlite3
import subprocess
import unittest

from cases import COMMAND_SECONDS, Stage, claims_of, main, wait_until

PASSWORD = "correct horse"


class Person:
    """Somebody at the door, with what the last log-in or refresh gave."""

    def __init__(self, server, email, password=PASSWORD):
        self.server, self.email, self.password = server, email, password
        self.tokens = None

    def log_in(self):
        reply = self.server.http(
            "POST", "/v1/login", body={"email": self.email, "password": self.password}
        )
        if reply.status != 200:
            raise AssertionError(f"log-in gave {reply.status}: {reply.body}")
        self.tokens = reply.json()
        return self

    @property
    def id(self):
        return self.tokens["account"]["id"]

    def call(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = "Bearer " + self.tokens["access_token"]
        return self.server.http(method, path, headers, body)

    def refresh(self, token=None):
        token = token or self.tokens["refresh_token"]
        return self.server.http("POST", "/v1/refresh", body={"refresh_token": token})


class People(unittest.TestCase):
    settings = ""

    def setUp(self):
        self.server = Stage(self.settings)
        self.addCleanup(self.server.close)
        self.server.init()
        self.server.start()

    def code(self, email, role="owner"):
        made = self.server.must("member", "invite", "--email", email, "--role", role, "--json")
        return json.loads(made)["code"]

    def sign_up(self, email, code=None, **members):
        body = {"email": email, "password": PASSWORD} | members
        if code:
            body["invitation_code"] = code
        return self.server.http("POST", "/v1/accounts", body=body)

    def member(self, name, role="owner"):
        email = f"{name}@example.com"
        reply = self.sign_up(email, self.code(email, role))
        self.assertEqual(reply.status, 201, reply.body)
        return Person(self.server, email).log_in()

    def audited(self, action):
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            return store.execute(
                "SELECT actor, outcome FROM audit_log WHERE action = ?", (action,)
            ).fetchall()

    def assert_problem(self, reply, status, words=""):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        self.assertIn(words, reply.json().get("detail", ""))


class Accounts(People):
    # Rule account-sign-up-closed.
    def test_403_without_an_invitation_and_201_with_one_which_works_once(self):
        self.assert_problem(self.sign_up("ada@example.com"), 403, "invited")
        code = self.code("ada@example.com", "developer")
        self.assert_problem(self.sign_up("eve@example.com", code), 404)
        reply = self.sign_up("Ada@Example.com", code, name="Ada")
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.json()["membership"]["role"], "developer")
        self.assertNotIn("password", reply.body.decode())
        self.assert_problem(self.sign_up("ada@example.com", code), 404)
        self.assert_problem(self.sign_up("ada@example.com", "inv_nobody"), 404)

    def test_400_names_the_member_at_fault(self):
        post = lambda body: self.server.http("POST", "/v1/accounts", body=body)
        self.assert_problem(post({"email": "a@b"}), 400, "password")
        self.assert_problem(post({"email": "a@b", "password": PASSWORD, "rle": 1}), 400, "rle")
        code = self.code("a@example.com")
        for password in ("short", "x" * 257):
            self.assert_problem(
                self.sign_up("a@example.com", code, password=password), 400, "8 to 256"
            )
        self.assert_problem(self.sign_up("a b@example.com", code), 400, "blanks")

    def test_409_for_an_email_that_has_an_account(self):
        ada = self.member("ada")
        self.server.must("member", "invite", "--email", "b@example.com", "--role", "owner")
        self.assertEqual(ada.call("DELETE", f"/v1/members/{ada.id}").status, 409)
        boss = self.member("boss")
        self.assertEqual(boss.call("DELETE", f"/v1/members/{ada.id}").status, 204)
        self.assert_problem(
            self.sign_up("ADA@example.com", self.code("ada@example.com")), 409, "log in"
        )

    # Rule account-unknown-alike.
    def test_401_for_an_unknown_email_and_a_wrong_password_are_the_same(self):
        self.member("ada")
        bodies = []
        for email in ("ada@example.com", "nobody@example.com"):
            reply = self.server.http(
                "POST", "/v1/login", body={"email": email, "password": "wrong horse"}
            )
            self.assert_problem(reply, 401)
            names = [name for name in reply.headers.keys()]
            bodies.append((reply.body, names))
        self.assertEqual(bodies[0], bodies[1])

    def test_login_400(self):
        reply = self.server.http("POST", "/v1/login", body={"email": "x", "password": "p"})
        self.assert_problem(reply, 400, "@")

    # Rule refresh-rotates.
    def test_refresh_200_goes_on_and_the_old_token_of_a_lost_answer_gets_the_same(self):
        ada = self.member("ada")
        first = ada.refresh()
        self.assertEqual(first.status, 200)
        again = ada.refresh()
        self.assertEqual(again.json()["refresh_token"], first.json()["refresh_token"])
        ada.tokens = first.json()
        self.assertEqual(ada.call("GET", "/v1/me").status, 200)
        self.assertEqual(ada.refresh().status, 200)

    # Rule refresh-reuse-revokes.
    def test_refresh_401_of_a_spent_token_ends_the_log_in_and_is_audited(self):
        ada = self.member("ada")
        stolen = ada.tokens["refresh_token"]
        second = ada.refresh().json()["refresh_token"]
        third = ada.refresh(second).json()["refresh_token"]
        # The next token is spent, so this is no lost answer.
        self.assert_problem(ada.refresh(stolen), 401, "log in again")
        self.assert_problem(ada.refresh(third), 401)
        self.assertEqual(self.audited("refresh_token.suspect_theft"), [(ada.id, 1)])
        self.assert_problem(ada.refresh("sdr_nobody"), 401)
        self.assert_problem(self.server.http("POST", "/v1/refresh", body={}), 400, "refresh_token")

    def test_a_refresh_outlives_kill_9(self):
        ada = self.member("ada")
        ada.tokens = ada.refresh().json()
        self.server.restart(9)
        self.assertEqual(ada.refresh().status, 200)

    def test_logout_204_ends_this_log_in_and_no_other(self):
        ada, other = self.member("ada"), Person(self.server, "ada@example.com").log_in()
        for _ in range(2):
            reply = self.server.http(
                "POST", "/v1/logout", body={"refresh_token": ada.tokens["refresh_token"]}
            )
            self.assertEqual(reply.status, 204)
        self.assert_problem(ada.refresh(), 401)
        self.assertEqual(other.refresh().status, 200)
        self.assert_problem(self.server.http("POST", "/v1/logout", body={}), 400)

    # Rule log-out-everywhere.
    def test_logout_everywhere_204_kills_every_access_token_at_once(self):
        ada, other = self.member("ada"), Person(self.server, "ada@example.com").log_in()
        for person in (ada, other):
            self.assertEqual(person.call("GET", "/v1/me").status, 200)
        self.assertEqual(ada.call("POST", "/v1/logout-everywhere").status, 204)
        for person in (ada, other):
            self.assert_problem(person.call("GET", "/v1/me"), 401, "log in again")
            self.assert_problem(person.refresh(), 401)
        self.assertEqual(ada.log_in().call("GET", "/v1/me").status, 200)
        self.assertEqual(self.audited("account.log_out_everywhere"), [(ada.id, 0)])

    def minted_session(self, person):
        """A live session on a token that somebody minted, and a second token of theirs."""
        wanted = {"app_id": self.server.app_id, "environment": "test"}
        tokens = []
        for _ in range(2):
            reply = person.call("POST", "/v1/session-tokens", wanted)
            self.assertEqual(reply.status, 201, reply.body)
            tokens.append(reply.json()["session_token"])
        return self.server.session(tokens[0]), tokens[1]

    # Rule session-token-ends-with-its-minter.
    def test_what_a_person_minted_ends_with_a_log_out_everywhere_and_with_their_membership(self):
        owner, ada, bob = self.member("owner"), self.member("ada"), self.member("bob", "developer")
        (of_ada, left_of_ada), (of_bob, left_of_bob) = map(self.minted_session, (ada, bob))
        self.assertEqual(ada.call("POST", "/v1/logout-everywhere").status, 204)
        self.assertIn("revoked", of_ada.receive().text)
        self.assertFalse(self.server.is_admitted(left_of_ada))
        self.assertTrue(of_bob.still_serves())
        self.assertEqual(owner.call("DELETE", f"/v1/members/{bob.id}").status, 204)
        self.assertIn("revoked", of_bob.receive().text)
        self.assertFalse(self.server.is_admitted(left_of_bob))

    # Rule session-token-ends-with-its-minter.
    def test_a_key_withdraws_what_a_person_minted(self):
        session, left = self.minted_session(ada := self.member("ada"))
        bearer = {"Authorization": f"Bearer {self.server.api_key}"}
        reply = self.server.http("POST", "/v1/session-tokens/revoke", bearer, {"minted_by": ada.id})
        self.assertEqual((reply.status, reply.json()["live_sessions_ended"]), (200, 1), reply.body)
        self.assertIn("revoked", session.receive().text)
        self.assertFalse(self.server.is_admitted(left))

    # Rule log-out-everywhere.
    def test_password_200_ends_all_other_log_ins(self):
        ada, other = self.member("ada"), Person(self.server, "ada@example.com").log_in()
        wrong = ada.call(
            "POST", "/v1/password", {"current_password": "wrong", "new_password": "better horse"}
        )
        self.assert_problem(wrong, 403, "current password")
        short = ada.call(
            "POST", "/v1/password", {"current_password": PASSWORD, "new_password": "short"}
        )
        self.assert_problem(short, 400, "8 to 256")
        self.assertEqual(other.call("GET", "/v1/me").status, 200, "nothing was changed")
        changed = ada.call(
            "POST", "/v1/password", {"current_password": PASSWORD, "new_password": "better horse"}
        )
        self.assertEqual(changed.status, 200, changed.body)
        self.assert_problem(other.call("GET", "/v1/me"), 401)
        self.assert_problem(other.refresh(), 401)
        ada.tokens = changed.json()
        self.assertEqual(ada.call("GET", "/v1/me").status, 200)
        self.assertEqual(ada.refresh().status, 200)
        old = {"email": ada.email, "password": PASSWORD}
        self.assert_problem(self.server.http("POST", "/v1/login", body=old), 401)
        Person(self.server, ada.email, "better horse").log_in()

    def test_401_without_a_token_and_403_with_a_key_where_an_account_is_needed(self):
        bearer = {"Authorization": "Bearer " + self.server.api_key}
        passwords = {"current_password": PASSWORD, "new_password": "better horse"}
        for path, body in (("/v1/logout-everywhere", None), ("/v1/password", passwords)):
            self.assert_problem(self.server.http("POST", path, body=body), 401)
            refused = self.server.http("POST", path, bearer, body)
            self.assert_problem(refused, 403)
            self.assertIn("an API key can't", refused.json()["detail"])

    def test_no_password_and_no_token_is_in_the_log_or_the_store(self):
        ada = self.member("ada")
        ada.refresh()
        self.server.halt()
        text = self.server.log().encode() + (self.server.data / "stagedoor.db").read_bytes()
        for secret in (PASSWORD, ada.tokens["refresh_token"], ada.tokens["access_token"]):
            self.assertNotIn(secret.encode(), text)


class Keys(People):
    # Rule people-keys-public.
    def test_an_independent_verifier_checks_our_token_with_our_published_key(self):
        ada = self.member("ada")
        found = self.server.http("GET", "/.well-known/openid-configuration").json()
        keys = self.server.http("GET", found["jwks_uri"].split(str(self.server.port))[1]).json()
        claims = claims_of(ada.tokens["access_token"])
        self.assertEqual(claims["iss"], found["issuer"])
        self.assertEqual(claims["exp"] - claims["iat"], 3600)
        self.assertEqual((claims["sub"], claims["aud"]), (ada.id, "stagedoor"))
        program = """
            const crypto = require('crypto');
            const {keys, token} = JSON.parse(require('fs').readFileSync(0));
            const [head, body, signature] = token.split('.');
            const {kid, alg} = JSON.parse(Buffer.from(head, 'base64url'));
            const key = crypto.createPublicKey(
                {key: keys.keys.find(each => each.kid === kid), format: 'jwk'});
            const good = text => crypto.verify(null, Buffer.from(text), key,
                                               Buffer.from(signature, 'base64url'));
            console.log(alg, good(head + '.' + body), good(head + '.x' + body));
        """
        said = subprocess.run(
            ["node", "-e", program],
            input=json.dumps({"keys": keys, "token": ada.tokens["access_token"]}),
            capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True,
        )
        self.assertEqual(said.stdout.split(), ["EdDSA", "true", "false"])

    # Rule server-secret-rotates.
    def test_a_token_of_the_former_server_secret_is_believed(self):
        ada = self.member("ada")
        self.server.must("secret", "rotate")
        # The issuer is the listening address, which stays.
        self.server.restart()
        self.assertEqual(ada.call("GET", "/v1/me").status, 200)
        keys = self.server.http("GET", "/.well-known/jwks.json").json()["keys"]
        self.assertEqual(len(keys), 2)

    def test_a_token_with_another_signature_is_401(self):
        ada = self.member("ada")
        head, body, signature = ada.tokens["access_token"].split(".")
        turned = signature[:5] + ("A" if signature[5] != "A" else "B") + signature[6:]
        ada.tokens["access_token"] = ".".join((head, body, turned))
        self.assert_problem(ada.call("GET", "/v1/me"), 401)


class Me(People):
    def test_me_200_for_a_person_and_for_a_key_and_401_for_nobody(self):
        ada = self.member("ada", "developer")
        me = ada.call("GET", "/v1/me").json()
        self.assertEqual((me["kind"], me["id"], me["role"]), ("person", ada.id, "developer"))
        self.assertIn("tokens:mint", me["permissions"])
        self.assertNotIn("keys:write", me["permissions"])
        bearer = {"Authorization": "Bearer " + self.server.api_key}
        key = self.server.http("GET", "/v1/me", bearer).json()
        self.assertEqual((key["kind"], key["environment"]), ("api_key", "test"))
        self.assertEqual(key["app_id"], self.server.app_id)
        self.assertNotIn("members:read", key["permissions"])
        self.assert_problem(self.server.http("GET", "/v1/me"), 401)
        self.assert_problem(self.server.http("GET", "/v1/workspaces", bearer), 403)
        self.assert_problem(self.server.http("GET", "/v1/workspaces"), 401)


class OpenDoor(People):
    settings = '[accounts]\nsign_up = "open"\n'

    def test_everybody_gets_a_workspace_of_their_own_and_sees_no_other(self):
        self.assertEqual(self.sign_up("ada@example.com").status, 201)
        self.assertEqual(self.sign_up("eve@example.com").status, 201)
        ada = Person(self.server, "ada@example.com").log_in()
        eve = Person(self.server, "eve@example.com").log_in()
        mine = ada.call("GET", "/v1/workspaces").json()["data"]
        self.assertEqual([each["role"] for each in mine], ["owner"])
        self.assertEqual(len(ada.call("GET", "/v1/members").json()["data"]), 1)
        # Another's workspace is answered as one that does not exist.
        others = [
            eve.call("GET", "/v1/members", Stagedoor_Workspace=workspace)
            for workspace in (mine[0]["workspace_id"], "ws_nobody")
        ]
        self.assertEqual([each.status for each in others], [404, 404])
        self.assertEqual(others[0].body, others[1].body)
        self.assert_problem(eve.call("DELETE", f"/v1/members/{ada.id}"), 404)
        self.assert_problem(eve.call("PATCH", f"/v1/members/{ada.id}", {"role": "viewer"}), 404)

    def test_somebody_invited_into_a_second_workspace_chooses_by_the_header(self):
        for name in ("ada", "bo"):
            self.assertEqual(self.sign_up(f"{name}@example.com").status, 201)
        ada = Person(self.server, "ada@example.com").log_in()
        bo = Person(self.server, "bo@example.com").log_in()
        invited = ada.call("POST", "/v1/invitations", {"email": bo.email, "role": "viewer"})
        code = {"code": invited.json()["code"]}
        self.assert_problem(ada.call("POST", "/v1/invitations/accept", code), 404)
        self.assert_problem(bo.call("POST", "/v1/invitations/accept"), 404)
        joined = bo.call("POST", "/v1/invitations/accept", code)
        self.assertEqual((joined.status, joined.json()["role"]), (200, "viewer"))
        self.assert_problem(bo.call("POST", "/v1/invitations/accept", code), 404)
        workspaces = bo.call("GET", "/v1/workspaces").json()["data"]
        self.assertEqual([each["role"] for each in workspaces], ["owner", "viewer"])
        second = bo.call("GET", "/v1/me", Stagedoor_Workspace=workspaces[1]["workspace_id"])
        self.assertEqual(second.json()["role"], "viewer")
        self.assertEqual(bo.call("GET", "/v1/me").json()["role"], "owner")


class ClosedDoor(People):
    settings = '[accounts]\nsign_up = "nobody"\n'

    # Rule account-sign-up-closed.
    def test_403_for_everybody(self):
        self.assert_problem(self.sign_up("ada@example.com"), 403)
        self.assert_problem(self.sign_up("ada@example.com", self.code("ada@example.com")), 403)


class Members(People):
    # Rule role-permissions.
    def test_a_viewer_acting_as_owner_is_403_and_nothing_has_changed(self):
        owner, viewer = self.member("owner"), self.member("viewer", "viewer")
        tries = [
            ("PATCH", f"/v1/members/{viewer.id}", {"role": "owner"}),
            ("PATCH", f"/v1/members/{owner.id}", {"role": "viewer"}),
            ("DELETE", f"/v1/members/{owner.id}", None),
            ("POST", "/v1/invitations", {"email": "eve@example.com", "role": "viewer"}),
            ("DELETE", "/v1/invitations/ivt_1", None),
        ]
        for method, path, body in tries:
            self.assert_problem(viewer.call(method, path, body), 403)
        roles = {each["account_id"]: each["role"] for each in self.list(viewer, "/v1/members")}
        self.assertEqual(roles, {owner.id: "owner", viewer.id: "viewer"})
        self.assertEqual(self.list(viewer, "/v1/invitations"), [])

    def list(self, person, path):
        reply = person.call("GET", path)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertIsNone(reply.json()["next"])
        return reply.json()["data"]

    # Rule member-last-owner.
    def test_409_for_the_last_owner_who_leaves_or_steps_down(self):
        owner = self.member("owner")
        self.assert_problem(owner.call("DELETE", f"/v1/members/{owner.id}"), 409, "last owner")
        self.assert_problem(
            owner.call("PATCH", f"/v1/members/{owner.id}", {"role": "admin"}), 409, "last owner"
        )
        second = self.member("second")
        self.assertEqual(second.call("DELETE", f"/v1/members/{owner.id}").status, 204)
        self.assert_problem(owner.call("GET", "/v1/members"), 403)
        self.assertIsNone(owner.call("GET", "/v1/me").json()["workspace_id"])

    # Rule member-role-ceiling.
    def test_403_for_an_admin_who_makes_an_owner_or_touches_one(self):
        owner, admin = self.member("owner"), self.member("admin", "admin")
        viewer = self.member("viewer", "viewer")
        self.member("owner2")
        for path, role in ((viewer.id, "owner"), (admin.id, "owner"), (owner.id, "viewer")):
            self.assert_problem(admin.call("PATCH", f"/v1/members/{path}", {"role": role}), 403)
        self.assert_problem(
            admin.call("POST", "/v1/invitations", {"email": "x@example.com", "role": "owner"}), 403
        )
        self.assert_problem(admin.call("DELETE", f"/v1/members/{owner.id}"), 403)
        changed = admin.call("PATCH", f"/v1/members/{viewer.id}", {"role": "developer"})
        self.assertEqual((changed.status, changed.json()["role"]), (200, "developer"))
        self.assertEqual(viewer.call("GET", "/v1/me").json()["role"], "developer")
        self.assertEqual(viewer.call("DELETE", f"/v1/members/{viewer.id}").status, 204)
        self.assertIn((admin.id, 0), self.audited("member.change_role"))

    def test_400_and_404_of_members(self):
        owner = self.member("owner")
        self.assert_problem(
            owner.call("PATCH", f"/v1/members/{owner.id}", {"role": "king"}), 400, "role"
        )
        self.assert_problem(owner.call("PATCH", f"/v1/members/{owner.id}", {}), 400, "role")
        self.assert_problem(owner.call("PATCH", "/v1/members/acc_1", {"role": "viewer"}), 404)
        self.assert_problem(owner.call("DELETE", "/v1/members/acc_1"), 404)
        self.assert_problem(self.server.http("GET", "/v1/members"), 401)
        bearer = {"Authorization": "Bearer " + self.server.api_key}
        for method, path in (
            ("GET", "/v1/members"),
            ("DELETE", f"/v1/members/{owner.id}"),
            ("GET", "/v1/invitations"),
            ("POST", "/v1/invitations"),
            ("POST", "/v1/invitations/accept"),
        ):
            self.assert_problem(self.server.http(method, path, bearer), 403)

    # Rule invitation-single-use.
    def test_an_invitation_201_is_shown_once_listed_without_its_code_and_withdrawn_204(self):
        owner = self.member("owner")
        invite = {"email": "Eve@Example.com", "role": "viewer"}
        made = owner.call("POST", "/v1/invitations", invite)
        self.assertEqual(made.status, 201)
        code = made.json()["code"]
        listed = self.list(owner, "/v1/invitations")
        self.assertEqual([each["email"] for each in listed], ["eve@example.com"])
        self.assertNotIn(code, json.dumps(listed))
        self.assertEqual(owner.call("DELETE", f"/v1/invitations/{listed[0]['id']}").status, 204)
        self.assert_problem(owner.call("DELETE", f"/v1/invitations/{listed[0]['id']}"), 404)
        self.assert_problem(self.sign_up("eve@example.com", code), 404)
        self.assert_problem(
            owner.call("POST", "/v1/invitations", {"email": "eve", "role": "viewer"}), 400, "@"
        )
        self.assert_problem(
            owner.call("POST", "/v1/invitations", {"email": owner.email, "role": "viewer"}), 409
        )

    def test_the_operator_lists_and_removes_members_and_a_running_server_follows(self):
        owner, viewer = self.member("owner"), self.member("viewer", "viewer")
        lines = self.server.must("member", "list", "--json").splitlines()
        self.assertEqual(
            {json.loads(line)["account_id"] for line in lines}, {owner.id, viewer.id}
        )
        self.server.must("member", "remove", viewer.id)
        wait_until(
            lambda: viewer.call("GET", "/v1/me").json()["workspace_id"] is None,
            "the server to follow a removal",
        )
        refused = self.server.command("member", "remove", owner.id)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("last owner", refused.stderr)


class Limited(People):
    settings = "[limits]\n"  # as they are by default

    # Rule password-guesses-limited.
    def test_429_for_the_sixth_guess_at_one_password_also_with_the_right_one(self):
        self.member("ada")  # one log-in of the five
        guess = lambda email, password: self.server.http(
            "POST", "/v1/login", body={"email": email, "password": password}
        )
        for _ in range(4):
            self.assert_problem(guess("ada@example.com", "wrong horse"), 401)
        refused = guess("ADA@example.com", PASSWORD)
        self.assert_problem(refused, 429)
        self.assertGreater(int(refused.headers["Retry-After"]), 0)
        self.assertEqual(len(refused.headers.get_all("X-RateLimit-Limit")), 1)
        self.assert_problem(guess("bo@example.com", "wrong horse"), 401)

    # Rule password-guesses-limited.
    def test_429_for_the_fourth_account_and_the_eleventh_log_in(self):
        for number in range(3):
            self.assert_problem(self.sign_up(f"a{number}@example.com"), 403)
        self.assert_problem(self.sign_up("a4@example.com"), 429)
        for number in range(10):
            email = f"a{number}@example.com"
            reply = self.server.http("POST", "/v1/login", body={"email": email, "password": "p"})
            self.assert_problem(reply, 401)
        reply = self.server.http("POST", "/v1/login", body={"email": "b@b", "password": "p"})
        self.assert_problem(reply, 429)


if __name__ == "__main__":
    main()
