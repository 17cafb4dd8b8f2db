"""People's tokens against the real binary: a real OpenID provider, and an issuer after Firebase.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import hashlib
import hmac
import json
import threading
import time
import unittest

from cases import Stage, main
from forging import segment
from identity_provider import Issuer, OpenIdProvider, RsaKey

PROJECT = "avatarium-prod"
FIREBASE = f"https://securetoken.google.com/{PROJECT}"


def now():
    return int(time.time())


class PeopleCase(unittest.TestCase):
    def call(self, token, server=None):
        return (server or self.server).http(
            "GET", "/v1/live-sessions", {"Authorization": f"Bearer {token}"})

    def assert_believed(self, token):
        """The person is known to be who they are, and belongs to no workspace: 403, and not 401."""
        reply = self.call(token)
        self.assertEqual(reply.status, 403, reply.body)
        self.assertIn("sessions:read", reply.json()["detail"])

    def assert_refused(self, token, problem="token-invalid", words="", status=401):
        reply = self.call(token)
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        body = reply.json()
        self.assertTrue(body["type"].endswith(problem), body)
        self.assertIn(words, body.get("detail", ""))
        self.assertNotIn(token, self.server.log())
        return body


class OfAnOpenIdProvider(PeopleCase):
    @classmethod
    def setUpClass(cls):
        cls.provider = OpenIdProvider()
        cls.addClassCleanup(cls.provider.close)
        settings = f"""
[people]
allow_private_issuers = true
[[people.issuers]]
issuer = "{cls.provider.issuer}"
audiences = ["studio-rs256", "studio-es256", "studio-eddsa"]
algorithms = ["RS256", "ES256", "EdDSA"]
"""
        cls.server = Stage(settings).__enter__()
        cls.addClassCleanup(cls.server.close)

    def test_people_who_signed_in_there_are_believed_here_whatever_the_key(self):
        for client in ("studio-rs256", "studio-es256", "studio-eddsa"):
            with self.subTest(client):
                token = self.provider.sign_in(client, "ada")["id_token"]
                self.assert_believed(token)
                self.assert_believed(token)

    # Rule jwt-claims.
    def test_a_token_for_another_client_of_the_same_provider_is_refused(self):
        token = self.provider.sign_in("somebody-else", "ada")["id_token"]
        self.assert_refused(token, words="another audience")

    def test_one_changed_character_makes_it_a_forgery(self):
        token = self.provider.sign_in("studio-es256", "ada")["id_token"]
        header, payload, signature = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        forged = segment(claims | {"sub": "admin"})
        self.assert_refused(f"{header}.{forged}.{signature}", words="does not verify")
        flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
        self.assert_refused(f"{header}.{payload}.{flipped}", words="does not verify")

    def test_its_access_token_which_is_no_jwt_is_taken_for_a_key_that_nobody_has(self):
        token = self.provider.sign_in("studio-rs256", "ada")["access_token"]
        self.assertEqual(self.call(token).status, 401)


class OfFirebase(PeopleCase):
    @classmethod
    def setUpClass(cls):
        cls.issuer = Issuer()
        cls.addClassCleanup(cls.issuer.close)
        settings = f"""
[people]
allow_private_issuers = true
[[people.issuers]]
preset = "firebase"
project = "{PROJECT}"
jwks_url = "{cls.issuer.url}"
"""
        cls.server = Stage(settings).__enter__()
        cls.addClassCleanup(cls.server.close)

    def claims(self, **other):
        claims = {"iss": FIREBASE, "aud": PROJECT, "sub": "abc123", "user_id": "abc123",
                  "email": "user@example.com", "email_verified": True, "auth_time": now() - 60,
                  "iat": now() - 30, "exp": now() + 3570}
        claims |= other
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, header=None, **other):
        return self.issuer.keys[0].token(self.claims(**other), **(header or {}))

    # Rule jwt-firebase-preset.
    def test_the_documents_token_is_believed(self):
        self.assert_believed(self.token())

    def test_501_where_the_log_in_and_the_password_are_kept_by_the_issuer(self):
        bearer = {"Authorization": "Bearer " + self.token()}
        passwords = {"current_password": "correct horse", "new_password": "better horse"}
        for path, body in (("/v1/logout-everywhere", None), ("/v1/password", passwords)):
            reply = self.server.http("POST", path, bearer, body)
            self.assertEqual(reply.status, 501, reply.body)
            self.assertIn("identity provider", reply.json()["detail"])

    # Rule jwt-firebase-preset.
    def test_each_rule_of_the_document_is_kept(self):
        for wrong in ({"iss": "https://securetoken.google.com/another-project"},
                      {"iss": FIREBASE + "/"}, {"aud": "another-project"}, {"aud": [PROJECT + "x"]},
                      {"sub": ""}, {"sub": None}, {"exp": None}, {"iat": None},
                      {"auth_time": None}, {"auth_time": now() + 3600}, {"iat": now() + 3600},
                      {"nbf": now() + 3600}, {"exp": 1e300}, {"exp": "tomorrow"}, {"exp": -1}):
            with self.subTest(wrong):
                self.assert_refused(self.token(**wrong))
        self.assert_refused(self.token(header={"kid": None}), words="kid")

    # Rule jwt-expired-only-if-genuine.
    def test_an_expired_token_is_told_so_and_a_forged_one_is_not(self):
        self.assert_refused(self.token(exp=now() - 1), "token-expired", "expired")
        forged = self.issuer.stranger.token(self.claims(exp=now() - 1), kid="first")
        self.assert_refused(forged)

    # Rule jwt-algorithm-pinned.
    def test_none_and_the_public_key_as_a_password_are_refused(self):
        payload = segment(self.claims())
        for name in ("none", "None", "NONE", "nOnE"):
            header = segment({"alg": name, "kid": "first"})
            self.assert_refused(f"{header}.{payload}.")
            self.assert_refused(f"{header}.{payload}.AA", words="algorithm")
        key = self.issuer.keys[0]
        for secret in (key.public_pem(), json.dumps(key.jwk()).encode(), key.modulus, b""):
            text = segment({"alg": "HS256", "kid": "first"}) + "." + payload
            mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
            self.assert_refused(f"{text}.{segment(mac)}", words="algorithm")

    # Rule jwt-embedded-keys-refused.
    def test_keys_that_the_token_brings_or_links_are_not_read(self):
        stranger = self.issuer.stranger
        with_hook = Issuer()
        self.addCleanup(with_hook.close)
        for header in ({"jwk": stranger.jwk()}, {"jku": with_hook.url}, {"x5u": with_hook.url},
                       {"x5c": ["MIIB"]}):
            token = stranger.token(self.claims(), **({"kid": "first"} | header))
            self.assert_refused(token, words="header has")
        self.assertEqual(with_hook.asked, 0)

    def test_kids_that_are_paths_or_sql_name_no_key(self):
        for kid in ("../../../../dev/null", "' OR 1=1; --", "|sleep 9", "x" * 300, ""):
            with self.subTest(kid[:20]):
                self.assert_refused(self.issuer.keys[0].token(self.claims(), kid=kid))

    # Rule jwks-cool-down.
    def test_a_storm_of_unknown_kids_asks_the_issuer_hardly_ever(self):
        self.assert_believed(self.token())
        asked = self.issuer.asked
        began = time.monotonic()
        head, payload, signature = self.token().split(".")

        def storm(thread):
            for i in range(250):
                header = segment({"alg": "RS256", "kid": f"{thread}.{i}"})
                self.call(f"{header}.{payload}.{signature}")

        threads = [threading.Thread(target=storm, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        self.assert_believed(self.token(sub="in-between"))
        for thread in threads:
            thread.join()
        self.assertLessEqual(self.issuer.asked - asked, 1 + (time.monotonic() - began) // 30)
        self.assert_believed(self.token())

    # Rule jwt-no-session-token.
    def test_a_session_token_is_told_that_it_cant_call_the_api(self):
        self.assert_refused(self.server.token(), words="opens a session and can't call the API")

    def test_a_token_where_only_an_api_key_is_read_mints_nothing(self):
        reply = self.server.http("POST", "/v1/console/session-tokens",
                                 {"X-Api-Key": self.token()}, {"expireAt": now() + 60})
        self.assertIn(reply.status, (401, 403), reply.body)
        self.assertNotIn(b"sessionToken", reply.body)


class OfAnIssuerInTrouble(PeopleCase):
    def serve(self, issuer_url, private=True):
        settings = f"""
[people]
allow_private_issuers = {"true" if private else "false"}
[[people.issuers]]
issuer = "https://id.example"
audiences = ["app"]
jwks_url = "{issuer_url}"
"""
        self.server = Stage(settings).__enter__()
        self.addCleanup(self.server.close)

    def setUp(self):
        self.issuer = Issuer()
        self.addCleanup(self.issuer.close)

    def token(self, subject="ada"):
        return self.issuer.keys[0].token(
            {"iss": "https://id.example", "aud": "app", "sub": subject, "exp": now() + 600})

    # Rule jwks-stale-served.
    def test_good_tokens_keep_working_while_it_is_away(self):
        self.serve(self.issuer.url)
        self.assert_believed(self.token())
        self.issuer.go_away()
        self.assert_believed(self.token("somebody new"))

    def test_one_that_never_answered_is_503_and_not_the_callers_fault(self):
        self.serve(self.issuer.url)
        self.issuer.go_away()
        self.assert_refused(self.token(), "unavailable", status=503)
        self.server.wait_for_log("issuer.keys_unavailable", issuer="https://id.example")

    # Rule jwks-good-keys-stay.
    def test_an_error_page_where_the_keys_were_takes_nothing_away(self):
        self.serve(self.issuer.url)
        self.assert_believed(self.token())
        self.issuer.status = 500
        unknown = RsaKey(self.issuer._folder.name, "unknown")
        self.call(unknown.token({"iss": "https://id.example", "aud": "app", "sub": "x",
                                 "exp": now() + 600}))
        self.assert_believed(self.token("another"))

    # Rule fetch-guarded.
    def test_a_private_address_is_not_asked_without_the_setting(self):
        self.serve(self.issuer.url.replace("http://", "https://"), private=False)
        self.assert_refused(self.token(), "unavailable", status=503)
        entry = self.server.wait_for_log("issuer.keys_unavailable")
        self.assertIn("may not be asked", entry["detail"])
        self.assertEqual(self.issuer.asked, 0)

    def test_http_without_the_setting_stops_the_start(self):
        server = Stage()
        self.addCleanup(server.close)
        server.init()
        settings = server.data / "settings.toml"
        settings.write_text('[[people.issuers]]\nissuer = "http://127.0.0.1:1"\naudiences = ["a"]\n')
        done = server.command("serve", "--config", str(settings), "--listen", "127.0.0.1:0")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("https URL", done.stdout + done.stderr)


if __name__ == "__main__":
    main()
