"""POST /door/session, the backend of the page at /: who gets a token from the real binary.

SPDX-License-Identifier: Apache-2.0
"""

import json

from cases import OneStage, claims_of, main, wait_until


class PageSession(OneStage):
    def post(self, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.http("POST", "/door/session", headers)

    def assert_forbidden(self, reply):
        self.assertEqual(reply.status, 403, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        self.assertNotIn(b"sessionToken", reply.body)

    def test_without_or_with_a_foreign_origin_it_is_refused(self):
        self.server.start()
        port = self.server.port
        self.assert_forbidden(self.post())
        for origin in (
            "http://elsewhere.example",
            "null",
            "",
            f"http://127.0.0.1:{port + 1}",
            "http://127.0.0.1",
            f"http://localhost:{port}",
            f"http://127.0.0.1:{port}.evil.example",
            f"http://127.0.0.1:{port}/",
            f"ftp://127.0.0.1:{port}",
            f"http://x@127.0.0.1:{port}",
            f"http://127.0.0.1:{port}, http://x",
        ):
            self.assert_forbidden(self.post(Origin=origin))

    def test_with_a_foreign_host_it_is_refused_even_when_the_origin_agrees(self):
        self.server.start()
        for host in (
            "rebound.example",
            f"rebound.example:{self.server.port}",
            f"127.0.0.1.example:{self.server.port}",
            "localhost.example",
            "[::2]",
            "",
        ):
            self.assert_forbidden(self.post(Host=host, Origin=f"http://{host}"))

    def test_through_a_proxy_it_is_refused(self):
        self.server.start()
        for name in ("X_Forwarded_For", "Forwarded", "Via", "X_Real_IP", "X_Forwarded_Port",
                     "X_Client_IP", "CF_Connecting_IP"):
            self.assert_forbidden(self.post(Origin=self.server.address, **{name: "203.0.113.9"}))

    def test_with_its_own_origin_it_gives_a_token_that_opens_one_session_with_its_avatar(self):
        self.server.start()
        reply = self.post(Origin=self.server.address)
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["Cache-Control"], "no-store")
        ticket = reply.json()
        self.assertEqual(set(ticket), {"appId", "avatarId", "sessionToken", "region", "sampleRate"})
        claims = claims_of(ticket["sessionToken"])
        self.assertEqual((claims["uses"], claims["avatar"]), (1, ticket["avatarId"]))
        self.assertLessEqual(claims["exp"] - claims["iat"], 120)
        how = {"app": ticket["appId"], "avatar": ticket["avatarId"]}
        self.assertEqual(
            [self.server.is_admitted(ticket["sessionToken"], **how) for _ in range(2)],
            [True, False],
        )

    def test_localhost_is_this_machine_too(self):
        self.server.start()
        host = f"localhost:{self.server.port}"
        self.assertEqual(self.post(Host=host, Origin=f"http://{host}").status, 200)

    def test_the_page_key_mints_one_use_even_where_the_app_allows_more(self):
        self.server.must("app", "set", self.server.app_id, "--token-uses", "5")
        self.server.start()
        token = self.post(Origin=self.server.address).json()["sessionToken"]
        self.assertEqual([self.server.is_admitted(token) for _ in range(2)], [True, False])

    def test_open_to_nobody_has_no_page_and_a_revoked_page_key_gives_503(self):
        self.server.settings = '[page]\nopen_to = "nobody"\n'
        self.server.start()
        self.assertEqual(self.post(Origin=self.server.address).status, 404)
        self.assertEqual(self.server.http("GET", "/").status, 404)
        self.server.settings = '[page]\nopen_to = "loopback"\n'
        self.server.restart()
        (page_key,) = [
            json.loads(line)
            for line in self.server.must("key", "list", "--json").splitlines()
            if "page" in json.loads(line)["name"]
        ]
        self.server.must("key", "revoke", page_key["id"])
        wait_until(
            lambda: self.post(Origin=self.server.address).status == 503,
            "the page key to be refused",
        )

    # Rule page-mints-for-its-own.
    def test_a_page_key_without_the_scope_mints_nothing(self):
        made = self.server.must("key", "create", "--app", self.server.app_id, "--name", "weak",
                                "--scope", "sessions:read", "--json")
        (self.server.data / "page-key").write_text(json.loads(made)["api_key"] + "\n")
        self.server.start()
        reply = self.post(Origin=self.server.address)
        self.assertEqual(reply.status, 503, reply.body)
        self.assertNotIn(b"sessionToken", reply.body)

    # Rule page-mints-for-its-own.
    def test_the_page_has_its_keys_limit_and_its_calls_are_counted(self):
        self.server.settings = '[limits]\napi_key_free = "1/hour burst 2"\n'
        self.server.start()
        replies = [self.post(Origin=self.server.address) for _ in range(3)]
        self.assertEqual([reply.status for reply in replies], [200, 200, 429])
        self.assertEqual(replies[0].headers["X-RateLimit-Remaining"], "1")
        self.assertIn("Retry-After", replies[2].headers)

    def test_a_get_is_405(self):
        self.server.start()
        reply = self.server.http("GET", "/door/session", {"Origin": self.server.address})
        self.assertEqual((reply.status, reply.headers["Allow"]), (405, "POST"))

    def test_a_public_address_closes_the_page_that_was_open_to_loopback(self):
        self.server.settings = '[server]\npublic_url = "https://door.example"\n'
        self.server.start()
        self.assertEqual(self.post(Origin=self.server.address).status, 404)

    def test_a_page_key_that_others_can_read_stops_the_start(self):
        (self.server.data / "page-key").chmod(0o644)
        done = self.server.command("serve", "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod 600", done.stderr)

if __name__ == "__main__":
    main()
