"""Attacks on the HTTP level, each by name, against the real binary.

What the plumbing alone decides stands beside it with every spelling: request smuggling in
src/http/request_reader_test.cc, frames in src/http/websocket_test.cc. Slow heads and bodies, floods
of pings and fragments and frames that break the protocol are in misbehaviour_test.py, forged tokens
in upgrade_test.py. Here is what only the whole shows: that nothing of an attack reaches a door, an
answer or the log.

SPDX-License-Identifier: Apache-2.0
"""

import itertools
import json
import time
import unittest

from cases import MINT_PATH, SOCKET_PATH, Stage, main
from raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    Closed,
    PING,
    Refusal,
    WebSocket,
    Wire,
    frame,
    open_websocket,
)

_numbers = itertools.count()


class AttackCase(unittest.TestCase):
    settings = '[log]\nlevel = "debug"\n'

    @classmethod
    def setUpClass(cls):
        cls.server = Stage(cls.settings).__enter__()
        cls.addClassCleanup(cls.server.close)

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), "the server has ended")
        self.assertEqual(self.server.http("GET", "/healthz").status, 200)

    def said(self, data):
        """All that the server answers to these bytes, until it ends the connection."""
        with Wire(self.server.port) as wire:
            try:
                wire.send(data)
            except (Closed, OSError):
                pass
            return wire.wait_until_closed()

    def mint_request(self, framing, body):
        return (
            f"POST {MINT_PATH} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {self.server.api_key}\r\n"
            f"Content-Type: application/json\r\n{framing}\r\n"
        ).encode("latin-1") + body


class Smuggling(AttackCase):
    """A second request hidden in the first must be neither answered nor taken for one."""

    def assert_one_refusal(self, framing, body):
        hidden = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = self.said(self.mint_request(framing, body + hidden))
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
        self.assertIn(answer.split()[1], (b"400", b"501"), answer)
        self.assertIn(b"Connection: close", answer)
        self.assertNotIn(b"alive", answer)
        self.assertNotIn(b"sessionToken", answer)

    def test_content_length_beside_transfer_encoding(self):
        for framing in (
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        ):
            self.assert_one_refusal(framing, b"0\r\n\r\n")

    def test_transfer_encoding_in_disguise(self):
        for value in (
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: identity, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-encoding: cow",
            "Transfer-Encoding: \x0bchunked",
            "Transfer-Encoding: chunked\x00",
            'Transfer-Encoding: "chunked"',
            "Transfer-Encoding: chunked;q=1",
            "Transfer-Encoding:\r\n chunked",
            "Transfer-Encoding : chunked",
            " Transfer-Encoding: chunked",
            "X: y\nTransfer-Encoding: chunked",
        ):
            with self.subTest(value):
                self.assert_one_refusal(value + "\r\n", b"0\r\n\r\n")

    def test_two_content_lengths(self):
        for framing in (
            "Content-Length: 2\r\nContent-Length: 30\r\n",
            "Content-Length: 2\r\nContent-Length: 2\r\n",
            "Content-Length: 2, 2\r\n",
            "Content-Length: 2\r\ncontent-length: 0\r\n",
        ):
            self.assert_one_refusal(framing, b"{}")

    def test_a_content_length_that_readers_could_differ_on(self):
        for value in ("+2", "-2", "0x2", "2.0", "2 2", "02\x0b", "", "99999999999999999999"):
            with self.subTest(value):
                self.assert_one_refusal(f"Content-Length: {value}\r\n", b"{}")

    def test_line_feeds_alone_blanks_before_colons_and_folded_lines(self):
        for framing in (
            "Content-Length: 2\n",
            "Content-Length : 2\r\n",
            "Content-Length\t: 2\r\n",
            "X: a\r\n b\r\nContent-Length: 2\r\n",
            "X: a\r\n\tb\r\nContent-Length: 2\r\n",
            "X: a\rContent-Length: 2\r\n",
            "no colon\r\nContent-Length: 2\r\n",
            ": no name\r\nContent-Length: 2\r\n",
        ):
            with self.subTest(framing):
                self.assert_one_refusal(framing, b"{}")

    def test_chunk_sizes_that_readers_could_differ_on(self):
        for body in (
            b"-1\r\n\r\n",
            b"0x2\r\n{}\r\n0\r\n\r\n",
            b"+2\r\n{}\r\n0\r\n\r\n",
            b"2 \n{}\r\n0\r\n\r\n",
            b"2\n{}\r\n0\r\n\r\n",
            b"2\r\n{}0\r\n\r\n",
            b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
            b"10000000000000002\r\n{}\r\n0\r\n\r\n",
            b"\r\n{}\r\n0\r\n\r\n",
            b"g\r\n{}\r\n0\r\n\r\n",
        ):
            with self.subTest(body):
                answer = self.said(self.mint_request("Transfer-Encoding: chunked\r\n", body))
                self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
                self.assertIn(answer.split()[1], (b"400", b"413"), answer)

    def test_two_hosts_or_none(self):
        for fields in ("Host: a\r\nHost: b\r\n", "", "Host: a b\r\n", "Host: a/b\r\n"):
            answer = self.said(f"GET /healthz HTTP/1.1\r\n{fields}\r\n".encode())
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)


class HeaderInjection(AttackCase):
    def test_line_ends_and_nul_in_values_are_refused(self):
        for character in ("\r", "\n", "\0"):
            answer = self.said(
                f"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Api-Key: a{character}b\r\n\r\n".encode()
            )
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)

    def test_what_an_answer_repeats_cannot_end_its_line(self):
        evil = "x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a<script>"
        for path in (
            "/" + evil,
            "/v1/console/" + evil,
            "/v2/character/" + evil,
            f"{SOCKET_PATH}?id={evil}&appId={evil}",
        ):
            with Wire(self.server.port) as wire:
                wire.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                answer = wire.take_answer()
                self.assertNotIn("set-cookie", answer.headers, path)
                self.assertNotIn(b"<script>", answer.body, path)
                self.assertIn(answer.status, (400, 404, 426), path)

    def test_the_log_stays_one_object_a_line(self):
        self.server.http("GET", "/x%0a%7b%22event%22:%22forged%22%7d", {"User-Agent": '"}{"'})
        for line in self.server.log().splitlines():
            if line.startswith("{"):
                self.assertNotEqual(json.loads(line).get("event"), "forged")

    def test_a_host_of_another_name_changes_no_address_that_we_give_out(self):
        reply = self.server.http("GET", "/nothing", {"Host": "evil.example"})
        self.assertNotIn(b"evil.example", reply.body)
        self.assertNotIn("evil.example", str(reply.headers))


class Frames(AttackCase):
    def refused(self, data):
        with self.server.session() as session:
            session.websocket.wire.send(data)
            return session.websocket.wait_until_closed().code

    def test_an_unmasked_frame_closes(self):
        self.assertEqual(self.refused(frame(BINARY, b"x", masked=False)), 1002)

    def test_a_control_frame_that_is_too_large_or_in_pieces_closes(self):
        self.assertEqual(self.refused(frame(PING, b"x" * 126)), 1002)
        self.assertEqual(self.refused(frame(PING, b"x", final=False)), 1002)
        self.assertEqual(self.refused(frame(CLOSE, b"\x03\xe8" + b"x" * 124)), 1002)

    def test_a_flood_of_fragments_is_cut_or_held_in_bounds(self):
        before = self.server.resident_bytes()
        with self.server.session() as session:
            try:
                session.websocket.send(BINARY, b"x", final=False)
                pieces = frame(CONTINUATION, b"x", final=False) * 1000
                for _ in range(100):
                    session.websocket.wire.send(pieces)
            except (Closed, OSError):
                pass
            self.assertLess(self.server.resident_bytes() - before, 32 << 20)

    def test_a_deflate_bomb_finds_no_deflate(self):
        offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
        answer = self.server.knock(self.server.token(), headers=offer)
        self.assertIsInstance(answer, WebSocket)
        with answer:
            answer.wire.send(frame(BINARY, b"\x00" * 100, reserved=4))
            self.assertEqual(answer.wait_until_closed().code, 1002)

    def test_a_compressed_body_is_not_inflated(self):
        answer = self.server.http(
            "POST",
            MINT_PATH,
            {"X-Api-Key": self.server.api_key, "Content-Encoding": "gzip",
             "Content-Type": "application/json"},
            b"\x1f\x8b\x08" + bytes(100),
        )
        self.assertIn(answer.status, (400, 415))


class CredentialsInUrls(AttackCase):
    """Rule url-redacted."""

    def assert_never_logged(self, secret):
        # The log is written in order: once this is there, all before it is.
        after_all = f"/after-all-{next(_numbers)}"
        self.server.http("GET", after_all)
        self.server.wait_for_log("http.request", target=after_all)
        self.assertNotIn(secret, self.server.log())

    def test_a_token_in_a_url_is_logged_neither_when_admitted_nor_when_refused(self):
        good = self.server.token()
        self.assertTrue(self.server.is_admitted(good, by="query"))
        self.assertFalse(self.server.is_admitted(good, by="query"))  # spent
        self.assert_never_logged(good)
        self.assert_never_logged(good.split(".")[2])
        forged = good[:-8] + "AAAAAAAA"
        self.assertFalse(self.server.is_admitted(forged, by="query"))
        self.assert_never_logged(forged)

    def test_a_token_under_any_spelling_of_its_name_or_at_any_path_is_not_logged(self):
        secret = "hunter2hunter2hunter2"
        for name in ("sessionKey", "session_key", "token", "access_token", "apiKey", "api_key",
                     "SESSIONKEY", "session%4bey", "%74oken", "authorization"):
            for path in (SOCKET_PATH, MINT_PATH, "/nothing", "/healthz", "/", "/v1/room-tokens/livekit"):
                self.server.http("GET", f"{path}?a=1&{name}={secret}&b=2")
        self.assert_never_logged(secret)

    def test_a_key_in_a_url_is_no_credential_and_is_not_logged(self):
        key = self.server.api_key
        for name in ("apiKey", "api_key", "key", "X-Api-Key"):
            reply = self.server.http("POST", f"{MINT_PATH}?{name}={key}", {},
                                     {"expireAt": int(time.time()) + 600})
            self.assertEqual(reply.status, 401)
        self.assert_never_logged(key)

    def test_a_key_in_a_refused_header_or_body_is_not_logged(self):
        key = self.server.api_key
        self.said(f"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Api-Key : {key}\r\n\r\n".encode())
        self.server.http("POST", MINT_PATH, {"Authorization": f"Bearer {key}"}, {"key": key})
        self.server.http("POST", MINT_PATH, {"X-Api-Key": key + "x"}, {"key": key})
        self.assert_never_logged(key)


class WrongCredential(AttackCase):
    def test_a_session_token_mints_nothing(self):
        token = self.server.token()
        for path, headers in (
            (MINT_PATH, {"X-Api-Key": token}),
            (MINT_PATH, {"Authorization": f"Bearer {token}"}),
            ("/v1/room-tokens/livekit", {"Authorization": f"Bearer {token}"}),
        ):
            reply = self.server.http("POST", path, headers, {"expireAt": int(time.time()) + 600})
            self.assertEqual(reply.status, 401, path)
            self.assertNotIn(b"sessionToken", reply.body)
        self.assertTrue(self.server.is_admitted(token), "and it is not spent by the attempt")

    def test_an_api_key_opens_no_session(self):
        answer = self.server.knock(self.server.api_key)
        self.assertIsInstance(answer, Refusal)
        self.assertEqual(answer.status, 400)


class UpgradeSmuggling(AttackCase):
    def test_bytes_behind_a_refused_upgrade_are_read_as_http_and_not_passed_through(self):
        with Wire(self.server.port) as wire:
            wire.send(
                f"GET {SOCKET_PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 777\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
                "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            )
            self.assertIn(wire.take_answer().status, (400, 426))
            self.assertEqual(wire.take_answer().status, 200)

    def test_an_upgrade_elsewhere_or_to_something_else_is_none(self):
        for path, protocol in (("/healthz", "websocket"), ("/", "h2c"), ("/healthz", "TLS/1.0")):
            with Wire(self.server.port) as wire:
                wire.send(
                    f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: {protocol}\r\n"
                    "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n".encode()
                )
                self.assertEqual(wire.take_answer().status, 200)

    def test_the_preface_of_http_2_is_refused(self):
        answer = self.said(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100))
        self.assertTrue(answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 505")), answer)


class ForeignPages(AttackCase):
    def test_a_page_of_another_site_gets_no_session_from_the_pages_backend(self):
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1", ""):
            reply = self.server.http("POST", "/door/session", {"Origin": origin})
            self.assertEqual(reply.status, 403, origin)

    def test_a_browser_of_another_site_has_no_cookie_that_could_open_a_session(self):
        # Nothing rides along on its own: a WebSocket needs a token, which a foreign page has not.
        answer = open_websocket(
            self.server.port,
            f"{SOCKET_PATH}?id={self.server.avatar_id}",
            {"Origin": "https://evil.example", "Cookie": f"sessionKey={self.server.token()}"},
        )
        self.assertIsInstance(answer, Refusal)
        self.assertEqual(answer.status, 400)

    def test_our_api_lets_no_foreign_page_read_its_answers(self):
        for path in (MINT_PATH, "/v1/room-tokens/livekit"):
            for method in ("OPTIONS", "POST"):
                reply = self.server.http(method, path, {"Origin": "https://evil.example"})
                self.assertIsNone(reply.headers["Access-Control-Allow-Origin"], path)


if __name__ == "__main__":
    main()
