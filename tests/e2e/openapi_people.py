"""The operations of api/openapi.yaml that are about people, each called until each of its statuses was
answered; a part of openapi_world.World.

SPDX-License-Identifier: Apache-2.0
"""

import concurrent.futures
import time

PASSWORD = "correct horse"


def token_of(issuer, name):
    """A token of somebody who belongs to no workspace."""
    claims = {"iss": name, "aud": "app", "sub": "somebody", "exp": int(time.time()) + 600}
    return issuer.keys[0].token(claims)


class PeopleCalls:
    def do_sign_up(self):
        who = {"email": "ada@example.com", "password": PASSWORD}
        self.call("sign_up", 400, body={"no_such_member": 1})
        self.call("sign_up", 403, body=who)
        self.call("sign_up", 404, body=who | {"invitation_code": "inv_nobody"})
        invited = {"invitation_code": self.invitation(who["email"], "viewer"), "name": "Ada"}
        ada = self.call("sign_up", 201, body=who | invited)
        self.call("remove_member", 204, parts={"account_id": ada["account"]["id"]})
        again = {"invitation_code": self.invitation(who["email"], "viewer")}
        self.call("sign_up", 409, body=who | again)

    def do_log_in(self):
        who = {"email": "owner@example.com", "password": PASSWORD}
        self.call("log_in", 200, body=who)
        self.call("log_in", 401, body=who | {"password": "wrong horse"})
        self.call("log_in", 400, body={"email": "x", "password": "p"})

    def do_refresh(self):
        token = self.member("refreshing", "viewer")["refresh_token"]
        self.call("refresh", 200, body={"refresh_token": token})
        self.call("refresh", 401, body={"refresh_token": "nonsense"})
        self.call("refresh", 400, body={})

    def do_log_out(self):
        token = self.member("leaving", "viewer")["refresh_token"]
        self.call("log_out", 204, body={"refresh_token": token})
        self.call("log_out", 400, body={})

    def do_log_out_everywhere(self):
        person = self.member("everywhere", "viewer")["access_token"]
        self.call("log_out_everywhere", 204, person)
        self.call("log_out_everywhere", 403, self.api_key)

    def do_change_password(self):
        person = self.member("changing", "viewer")["access_token"]
        wrong = {"current_password": "wrong horse", "new_password": "better horse"}
        self.call("change_password", 403, person, body=wrong)
        self.call("change_password", 200, person, body=wrong | {"current_password": PASSWORD})
        self.change_a_password_twice_at_once()

    def change_a_password_twice_at_once(self):
        """Of two who both showed the right password, the later one has shown an old one."""
        for turn in range(20):
            person = self.member(f"hurrying-{turn}", "viewer")["access_token"]
            change = lambda new, who=person: self.call("change_password", None, who, body={
                "current_password": PASSWORD, "new_password": new})
            with concurrent.futures.ThreadPoolExecutor(2) as both:
                list(both.map(change, ("better horse", "best of horses")))
            if (self.names["change_password"], 409) in self.seen:
                return

    def do_get_me(self):
        self.call("get_me", 200)
        self.call("get_me", 200, self.owner["access_token"])
        self.call("get_me", 200, token_of(self.issuer, "https://id.example"))

    def do_list_workspaces(self):
        self.call("list_workspaces", 200)

    def do_list_members(self):
        self.call("list_members", 200)

    def do_change_role(self):
        viewer = {"account_id": self.member("viewer", "viewer")["account"]["id"]}
        self.call("change_role", 200, parts=viewer, body={"role": "developer"})
        self.call("change_role", 404, parts={"account_id": "none"}, body={"role": "viewer"})
        owner = {"account_id": self.owner["account"]["id"]}
        self.call("change_role", 409, parts=owner, body={"role": "admin"})

    def do_remove_member(self):
        viewer = self.member("removed", "viewer")
        self.call("remove_member", 204, parts={"account_id": viewer["account"]["id"]})
        self.call("remove_member", 409, parts={"account_id": self.owner["account"]["id"]})

    def invite(self, email):
        return self.call("invite_member", 201, body={"email": email, "role": "viewer"})

    def do_list_invitations(self):
        self.invite("eve@example.com")
        self.call("list_invitations", 200)

    def do_invite_member(self):
        self.invite("bo@example.com")
        self.call("invite_member", 409, body={"email": "owner@example.com", "role": "viewer"})

    def do_withdraw_invitation(self):
        invited = self.invite("cy@example.com")["invitation"]
        self.call("withdraw_invitation", 204, parts={"id": invited["id"]})

    def do_accept_invitation(self):
        joining = self.member("joining", "viewer")
        self.call("remove_member", 204, parts={"account_id": joining["account"]["id"]})
        code = {"code": self.invite("joining@example.com")["code"]}
        self.call("accept_invitation", 404, joining["access_token"], body={"code": "inv_nobody"})
        with self.full_workspace():
            self.call("accept_invitation", 409, joining["access_token"], body=code)
        self.call("accept_invitation", 200, joining["access_token"], body=code)

    def do_get_jwks(self):
        self.call("get_jwks", 200)

    def do_get_discovery(self):
        self.call("get_discovery", 200)
