"""Who vouches for people in the tests: a real OpenID provider, and an issuer that does as it is told.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import hashlib
import http.cookiejar
import http.server
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

import node_packages
from forging import segment

HERE = pathlib.Path(__file__).resolve().parent
WAIT_SECONDS = 30
REDIRECT = "http://127.0.0.1:9/done"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class OpenIdProvider:
    """identity_provider.mjs, running; people sign in to it by its own pages."""

    def __init__(self):
        node_packages.install()
        self._process = subprocess.Popen(
            ["node", "identity_provider.mjs"], cwd=HERE, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.issuer = json.loads(self._process.stdout.readline())["issuer"]

    def close(self):
        self._process.stdin.close()
        self._process.wait(WAIT_SECONDS)
        self._process.stdout.close()

    def sign_in(self, client, who):
        """The authorization code flow with PKCE, as a browser goes through it; the token answer."""
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        browser = urllib.request.build_opener(cookies, _NoRedirects())
        verifier = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        challenge = segment(hashlib.sha256(verifier.encode()).digest())
        query = {"client_id": client, "response_type": "code", "scope": "openid email",
                 "redirect_uri": REDIRECT, "code_challenge": challenge,
                 "code_challenge_method": "S256", "nonce": "n"}
        place = self._walk(browser, f"{self.issuer}/auth?{urllib.parse.urlencode(query)}", who)
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(place).query)["code"][0]
        form = {"grant_type": "authorization_code", "client_id": client, "code": code,
                "redirect_uri": REDIRECT, "code_verifier": verifier}
        data = urllib.parse.urlencode(form).encode()
        with browser.open(f"{self.issuer}/token", data, WAIT_SECONDS) as answer:
            return json.load(answer)

    def _walk(self, browser, place, who):
        """Follows redirects, fills in the forms on the way, and stops at the client's own address."""
        form = None
        for _ in range(12):
            if place.startswith(REDIRECT):
                return place
            try:
                with browser.open(place, form, WAIT_SECONDS) as page:
                    text = page.read().decode()
            except urllib.error.HTTPError as answer:
                with answer:
                    if answer.code not in (302, 303):
                        raise AssertionError(f"{place}: {answer.code} {answer.read()!r}") from None
                    place = urllib.parse.urljoin(place, answer.headers["Location"])
                form = None
                continue
            action = re.search(r'<form[^>]*action="([^"]+)"', text).group(1)
            fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', text))
            if fields["prompt"] == "login":
                fields |= {"login": who, "password": "any"}
            place, form = urllib.parse.urljoin(place, action), urllib.parse.urlencode(fields).encode()
        raise AssertionError(f"the sign-in did not end; the last place was {place}")


class RsaKey:
    """An RSA key that signs by the openssl command."""

    def __init__(self, folder, kid):
        self.kid = kid
        self.path = pathlib.Path(folder) / f"{kid}.pem"
        self._openssl("genrsa", "-out", self.path, "2048")
        modulus = self._openssl("rsa", "-in", self.path, "-noout", "-modulus")
        self.modulus = bytes.fromhex(modulus.decode().strip().split("=")[1])

    @staticmethod
    def _openssl(*words, data=None):
        done = subprocess.run(["openssl", *map(str, words)], input=data, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout

    def jwk(self):
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                "n": segment(self.modulus), "e": "AQAB"}

    def public_pem(self):
        return self._openssl("rsa", "-in", self.path, "-pubout")

    def token(self, claims, **header):
        header = {"alg": "RS256", "kid": self.kid, "typ": "JWT"} | header
        header = {name: value for name, value in header.items() if value is not None}
        text = f"{segment(header)}.{segment(claims)}"
        signature = self._openssl("dgst", "-sha256", "-sign", self.path, data=text.encode())
        return f"{text}.{segment(signature)}"


class Issuer:
    """Publishes a key set over HTTP, counts who asks, and can be made to answer otherwise."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="stagedoor-issuer-")
        self.keys = [RsaKey(self._folder.name, "first")]
        self.stranger = RsaKey(self._folder.name, "stranger")
        self.asked = 0
        self.status = 200
        issuer = self

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                body = json.dumps({"keys": [key.jwk() for key in issuer.keys]}).encode()
                self.send_response(issuer.status)
                self.send_header("Cache-Control", "public, max-age=19845, must-revalidate")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def go_away(self):
        """Answers nobody any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def close(self):
        self.go_away()
        self._folder.cleanup()
