"""GET /v2/driveningress/websocket up to the 101, against the real binary: who is let in.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import json
import select
import time
import unittest

import motion_messages as messages
from cases import SOCKET_PATH, Stage, claims_of, main, wait_until
from forging import opened, segment, signed
from raw_websocket import (
    BINARY,
    Refusal,
    WebSocket,
    Wire,
    frame,
    open_websocket,
    upgrade_request,
)

UNKNOWN_APP = "app_" + "0" * 20
UNKNOWN_AVATAR = "00000000-0000-4000-8000-000000000000"

INVALID = (400, "Invalid session token")
SPENT = (400, "Invalid session token: it has been used; mint one per session")
OTHER_APP = (400, "app id mismatch: the session token is for another app")
EXPIRED = (401, "session token expired")
NO_APP = (404, "App not found: the app id is not recognized")
OTHER_AVATAR = (403, "The session token is for another avatar")
FULL = (429, "Concurrency limit reached: the app has all the live sessions that it may have")


class UpgradeCase(unittest.TestCase):
    settings = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Stage(cls.settings).__enter__()
        cls.addClassCleanup(cls.server.close)

    def assert_refused(self, answer, wanted, words=None):
        self.assertIsInstance(answer, Refusal)
        status, message = wanted
        # The whole body, with its newline: the vendor's clients compare it.
        self.assertEqual(
            (answer.status, answer.body), (status, b'{"message":"%s"}\n' % message.encode()), words
        )
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(answer.headers["cache-control"], "no-store")

    def assert_refused_both_ways(self, token, wanted, **how):
        for by in ("header", "query"):
            self.assert_refused(self.server.knock(token, by=by, **how), wanted, (by, token[:80]))

    def assert_admitted(self, answer):
        self.assertIsInstance(answer, WebSocket, answer)
        answer.wire.drop()


class Table(UpgradeCase):
    def test_a_good_token_opens_a_session_by_header_and_by_query(self):
        for by in ("header", "query"):
            with self.server.session(by=by) as session:
                self.assertTrue(session.still_serves())

    def test_further_query_parameters_are_ignored_and_names_in_headers_have_no_case(self):
        target = f"{SOCKET_PATH}?x=1&id={self.server.avatar_id}&id2=&&=&y"
        headers = {"x-app-id": self.server.app_id, "X-SESSION-KEY": self.server.token()}
        self.assert_admitted(open_websocket(self.server.port, target, headers))

    def test_app_and_token_may_come_by_different_ways(self):
        target = f"{SOCKET_PATH}?id={self.server.avatar_id}&appId={self.server.app_id}"
        self.assert_admitted(
            open_websocket(self.server.port, target, {"X-Session-Key": self.server.token()})
        )

    def test_query_values_are_percent_decoded(self):
        everything = "".join(f"%{byte:02X}" for byte in self.server.token().encode())
        app = f"{SOCKET_PATH}?id={self.server.avatar_id}&appId={self.server.app_id}"
        target = f"{app}&sessionKey={everything}"
        self.assert_admitted(open_websocket(self.server.port, target))

    def test_a_bad_empty_or_missing_token_is_400_with_the_exact_words(self):
        for token in (
            "",
            "bogus",
            "a.b.c",
            "..",
            ".",
            "a.b.c.d",
            "null",
            self.server.api_key,
            "Bearer x",
        ):
            self.assert_refused_both_ways(token, INVALID)
        target = f"{SOCKET_PATH}?id={self.server.avatar_id}"
        self.assert_refused(
            open_websocket(self.server.port, target, {"X-App-ID": self.server.app_id}), INVALID
        )
        self.assert_refused(open_websocket(self.server.port, SOCKET_PATH), INVALID)

    def test_the_token_is_judged_before_the_app_and_the_app_before_the_avatar(self):
        self.assert_refused_both_ways("bogus", INVALID, app=UNKNOWN_APP, avatar=UNKNOWN_AVATAR)
        self.assert_refused_both_ways(
            self.server.token(), NO_APP, app=UNKNOWN_APP, avatar=UNKNOWN_AVATAR
        )

    def test_an_unknown_or_missing_app_is_404(self):
        token = self.server.token()
        for app in (
            UNKNOWN_APP,
            "",
            self.server.app_id[:-1],
            self.server.app_id.upper(),
            "x" * 3000,
        ):
            self.assert_refused_both_ways(token, NO_APP, app=app)
        self.assertTrue(self.server.is_admitted(token))

    def test_an_unknown_or_missing_avatar_is_404_and_is_named(self):
        token = self.server.token()
        for avatar in (UNKNOWN_AVATAR, "", "a/b&c d", "%41", "none"):
            self.assert_refused_both_ways(
                token, (404, f"Avatar not found: {avatar}"), avatar=avatar
            )
        self.assertTrue(self.server.is_admitted(token))

    def test_an_avatar_id_that_would_break_the_json_or_is_very_long_comes_back_harmless(self):
        token = self.server.token()
        for avatar in (
            '"},{"x":"',
            "\\",
            "\r\nX: y",
            "\x00\x01",
            "é" * 100,
            "<script>",
            "x" * 4000,
        ):
            answer = self.server.knock(token, avatar=avatar, by="query")
            self.assertEqual(answer.status, 404)
            self.assertLess(len(answer.body), 1024)
            self.assertTrue(json.loads(answer.body)["message"].startswith("Avatar not found"))
        raw = open_websocket(
            self.server.port,
            f"{SOCKET_PATH}?id=%ff%fe&appId={self.server.app_id}&sessionKey={token}",
        )
        self.assertEqual(json.loads(raw.body)["message"], "Avatar not found: \ufffd\ufffd")
        self.assertTrue(self.server.is_admitted(token))

    def test_a_token_of_another_app_is_400(self):
        other = self.server.second_app()
        token = self.server.token()
        wait_until(
            lambda: self.server.knock(token, app=other).status == 400, "the second app to be known"
        )
        self.assert_refused_both_ways(token, OTHER_APP, app=other)
        self.assertTrue(self.server.is_admitted(token))

    def test_a_token_for_another_avatar_is_403(self):
        other = self.server.second_avatar()
        token = self.server.token(avatarId=self.server.avatar_id)
        wait_until(
            lambda: self.server.knock(token, avatar=other).status == 403,
            "the second avatar to be known",
        )
        self.assert_refused_both_ways(token, OTHER_AVATAR, avatar=other)
        self.assertTrue(self.server.is_admitted(token))

    def test_a_token_for_no_avatar_in_particular_opens_any_of_the_workspace_and_none_of_another(
        self,
    ):
        mine = self.server.second_avatar()
        self.server.insert("workspaces", "ws_" + "9" * 20, "Foreign", 0)
        foreign = self.server.second_avatar("ws_" + "9" * 20)
        token = self.server.token()
        self.assert_refused_both_ways(token, (404, f"Avatar not found: {foreign}"), avatar=foreign)
        wait_until(
            lambda: self.server.is_admitted(self.server.token(), avatar=mine),
            "the avatar to be known",
        )
        self.assert_refused_both_ways(token, (404, f"Avatar not found: {foreign}"), avatar=foreign)

    def test_an_expired_token_is_401(self):
        token = self.server.command_token("--expires-in", "1")
        wait_until(
            lambda: self.server.knock(token, avatar=UNKNOWN_AVATAR).status == 401,
            "the token to expire",
        )
        self.assertLessEqual(claims_of(token)["exp"], time.time())
        self.assert_refused_both_ways(token, EXPIRED)

    def test_a_token_that_was_not_used_in_its_time_to_connect_is_401_though_it_has_not_expired(
        self,
    ):
        token = self.server.command_token("--connect-within", "1")
        wait_until(
            lambda: self.server.knock(token, avatar=UNKNOWN_AVATAR).status == 401,
            "connect-by to pass",
        )
        self.assertGreater(claims_of(token)["exp"], time.time() + 300)
        self.assert_refused_both_ways(token, EXPIRED)


class Forgery(UpgradeCase):
    def setUp(self):
        self.token = self.server.token()
        self.header, self.payload, self.signature = self.token.split(".")

    def assert_invalid(self, token):
        for by in ("header", "query"):
            self.assert_refused(self.server.knock(token, by=by), INVALID, (by, token[:120]))

    def tearDown(self):
        # What was changed was the copy: the token itself is good, and no forgery has spent it.
        self.assertTrue(self.server.is_admitted(self.token))

    def test_a_token_cut_anywhere_is_invalid(self):
        for end in [
            *range(0, len(self.token), 23),
            len(self.token) - 1,
            len(self.header),
            len(self.header) + 1,
        ]:
            self.assert_refused(self.server.knock(self.token[:end]), INVALID, end)

    def test_a_token_with_something_added_is_invalid(self):
        for more in ("A", "=", "==", ".", ".x", "A" * 4):
            self.assert_refused(self.server.knock(self.token + more), INVALID, more)
            self.assert_refused(self.server.knock(more + self.token), INVALID, more)
        self.assert_invalid(f"{self.header}.{self.payload}=.{self.signature}")
        self.assert_invalid(f"{self.header}=.{self.payload}.{self.signature}")

    def test_a_changed_character_anywhere_is_invalid(self):
        for at in range(0, len(self.token)):
            other = "B" if self.token[at] != "B" else "C"
            if self.token[at] == ".":
                other = "-"
            self.assert_refused(
                self.server.knock(self.token[:at] + other + self.token[at + 1 :]), INVALID, at
            )

    def test_the_unused_bits_at_the_end_of_a_signature_make_no_second_spelling(self):
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        for last in alphabet:
            if last != self.signature[-1]:
                self.assert_refused(self.server.knock(self.token[:-1] + last), INVALID, last)

    def test_algorithm_none_in_every_spelling_is_invalid(self):
        known = json.loads(opened(self.header))
        for name in ("none", "None", "NONE", "nOnE", "", None, 0, False, []):
            for header in ({"alg": name}, {"alg": name, "typ": "JWT"}, {**known, "alg": name}):
                for signature in ("", self.signature, segment(b"x" * 32)):
                    self.assert_refused(
                        self.server.knock(f"{segment(header)}.{self.payload}.{signature}"),
                        INVALID,
                        header,
                    )

    def test_another_algorithm_or_key_named_in_the_header_is_invalid(self):
        known = json.loads(opened(self.header))
        for change in (
            {"alg": "HS384"},
            {"alg": "RS256"},
            {"alg": "ES256"},
            {"alg": "EdDSA"},
            {"alg": "hs256"},
            {"kid": "00000000"},
            {"kid": ""},
            {"kid": "../../dev/null"},
            {"kid": "' OR 1=1 --"},
            {"jwk": {"kty": "oct", "k": segment(b"x" * 32)}},
            {"jku": "http://127.0.0.1:1/keys"},
            {"x5u": "http://127.0.0.1:1/"},
            {"crit": ["exp"]},
            {"b64": False},
            {"zip": "DEF"},
            {"typ": "at+jwt"},
        ):
            header = segment({**known, **change})
            self.assert_invalid(f"{header}.{self.payload}.{self.signature}")
            self.assert_invalid(signed(header, self.payload, b"x" * 32))

    def test_the_same_header_spelt_otherwise_is_invalid(self):
        known = json.loads(opened(self.header))
        for header in (
            json.dumps(known).encode(),
            json.dumps(dict(reversed(known.items()))).encode(),
            opened(self.header) + b" ",
            opened(self.header).replace(b"HS256", b"HS\\u003256"),
        ):
            self.assertNotEqual(segment(header), self.header)
            self.assert_invalid(f"{segment(header)}.{self.payload}.{self.signature}")

    def test_a_token_signed_with_anything_that_is_not_the_token_key_is_invalid(self):
        secret_text = (self.server.data / "server-secret").read_text().split()[0]
        exported = self.server.data / "token-key"
        self.server.must("secret", "token-key", str(exported))
        kid = json.loads(opened(self.header))["kid"]
        for key in (
            b"",
            b"\0" * 32,
            b"secret",
            self.server.api_key.encode(),
            kid.encode(),
            self.header.encode(),
            self.server.app_id.encode(),
            secret_text.encode(),
            bytes.fromhex(secret_text),
            bytes.fromhex(exported.read_text().split()[0]),
            exported.read_text().encode(),
        ):
            self.assert_refused(
                self.server.knock(signed(self.header, self.payload, key)), INVALID, key[:12]
            )

    def test_changed_claims_are_invalid_even_where_they_ask_for_less(self):
        claims = claims_of(self.token)
        for change in (
            {"uses": 1000},
            {"uses": 0},
            {"exp": claims["exp"] + 1},
            {"exp": claims["exp"] - 1},
            {"app": UNKNOWN_APP},
            {"env": "live"},
            {"jti": "A" * 22},
            {"leash": {**claims["leash"], "idle": 1}},
        ):
            self.assert_invalid(f"{self.header}.{segment({**claims, **change})}.{self.signature}")
        spaced = segment(json.dumps(claims).encode())
        self.assert_invalid(f"{self.header}.{spaced}.{self.signature}")

    def test_parts_of_two_good_tokens_do_not_make_a_third(self):
        other = self.server.token().split(".")
        self.assert_invalid(f"{self.header}.{other[1]}.{self.signature}")
        self.assert_invalid(f"{self.header}.{self.payload}.{other[2]}")

    def test_a_token_of_five_kilobytes_is_invalid_and_the_server_goes_on(self):
        for token in (
            "A" * 5000,
            f"{self.header}.{'A' * 5000}.{self.signature}",
            "." * 5000,
            f"{self.header}.{self.payload}.{'A' * 5000}",
        ):
            self.assert_invalid(token)

    def test_a_head_over_sixteen_kibibytes_is_refused_with_431(self):
        for by in ("header", "query"):
            self.assertEqual(self.server.knock("A" * 20_000, by=by).status, 431)

    def test_a_mac_in_another_encoding_is_invalid(self):
        digest = opened(self.signature)
        for signature in (
            digest.hex(),
            base64.b64encode(digest).decode(),
            segment(digest[:16]),
            segment(digest[:-1]),
            segment(digest + b"\0"),
            segment(b""),
        ):
            self.assert_invalid(f"{self.header}.{self.payload}.{signature}")


class Uses(UpgradeCase):
    def test_a_token_opens_one_session_and_a_second_is_refused_while_it_lives_and_after(self):
        token = self.server.token()
        with self.server.session(token) as session:
            self.assert_refused_both_ways(token, SPENT)
            self.assertTrue(session.still_serves())
            session.websocket.close()
        self.assert_refused_both_ways(token, SPENT)

    def test_a_refused_further_use_is_logged_as_suspected_theft(self):
        token = self.server.token()
        self.assertTrue(self.server.is_admitted(token))
        self.assert_refused(self.server.knock(token), SPENT)
        entry = self.server.wait_for_log(
            "session_token.reuse_suspected_theft", token_id=claims_of(token)["jti"]
        )
        self.assertEqual((entry["level"], entry["uses_max"]), ("warning", 1))

    def test_every_refusal_before_the_last_check_leaves_the_token_unspent(self):
        token = self.server.token()
        for how in (
            {"app": UNKNOWN_APP},
            {"avatar": UNKNOWN_AVATAR},
            {"version": "12"},
            {"headers": {"Upgrade": None}},
        ):
            self.assertIsInstance(self.server.knock(token, **how), Refusal)
        self.assertTrue(self.server.is_admitted(token))


class MoreUses(UpgradeCase):
    def test_three_uses_are_three_and_a_token_minted_before_keeps_its_one(self):
        self.server.limits("--token-uses", "1")
        before = self.server.token()
        self.server.limits("--token-uses", "3")
        token = self.server.token()
        self.assertEqual(
            [self.server.is_admitted(token) for _ in range(5)], [True] * 3 + [False] * 2
        )
        self.assert_refused_both_ways(token, SPENT)
        self.assertEqual([self.server.is_admitted(before) for _ in range(2)], [True, False])

    def test_a_token_may_ask_for_fewer_uses_but_not_for_more(self):
        self.server.limits("--token-uses", "3")
        for asked, allowed in (("1", 1), ("2", 2), ("3", 3), ("1000", 3)):
            token = self.server.command_token(f"--uses={asked}")
            self.assertEqual(sum(self.server.is_admitted(token) for _ in range(6)), allowed, asked)


class Concurrency(UpgradeCase):
    def test_over_the_limit_is_429_and_does_not_spend_the_token(self):
        self.server.limits("--sessions", "2")
        first, second = self.server.session(), self.server.session()
        with first, second:
            token = self.server.token()
            for _ in range(3):
                self.assert_refused_both_ways(token, FULL)
            first.websocket.close()
            wait_until(lambda: self.server.is_admitted(token), "the place to be free")
            self.assertTrue(second.still_serves())
        wait_until(lambda: self.server.knock(token).status != FULL[0], "the place to be free again")
        self.assert_refused_both_ways(token, SPENT)

    def test_refused_attempts_hold_no_place(self):
        self.server.limits("--sessions", "1")
        spent = self.server.token()
        wait_until(lambda: self.server.is_admitted(spent), "the first place")
        for _ in range(20):
            wait_until(lambda: self.server.knock(spent).status == 400, "the place that was left")
        wait_until(lambda: self.server.is_admitted(self.server.token()), "the place")


class Handshake(UpgradeCase):
    settings = "[http]\nhead_timeout_seconds = 1\n"

    def good(self, **changes):
        headers = {"X-App-ID": self.server.app_id, "X-Session-Key": self.server.token()}
        return self.target(), {**headers, **changes}

    def target(self):
        return f"{SOCKET_PATH}?id={self.server.avatar_id}"

    def test_a_plain_get_is_426_and_names_the_upgrade(self):
        for path in (SOCKET_PATH, self.target()):
            reply = self.server.http(
                "GET", path, {"X-App-ID": self.server.app_id, "X-Session-Key": self.server.token()}
            )
            self.assertEqual(reply.status, 426)
            self.assertEqual(reply.headers["Upgrade"], "websocket")
            self.assertTrue(json.loads(reply.body)["message"])
            self.assertTrue(reply.body.endswith(b"}\n"))

    def test_another_version_is_refused_and_told_which_is_right(self):
        for version in ("12", "8", "14", "", "thirteen", "13, 8", None):
            target, headers = self.good()
            answer = open_websocket(self.server.port, target, headers, version=version)
            self.assertEqual(answer.status, 426, version)
            self.assertEqual(answer.headers["sec-websocket-version"], "13")

    def test_a_malformed_handshake_is_refused_before_the_token_is_looked_at(self):
        token = self.server.token()
        for changes in (
            {"Upgrade": "h2c"},
            {"Connection": "keep-alive"},
            {"Connection": None},
            {"Sec-WebSocket-Key": None},
            {"Sec-WebSocket-Key": "short"},
            {"Sec-WebSocket-Key": "!" * 24},
            {"Content-Length": "3"},
        ):
            headers = {"X-App-ID": self.server.app_id, "X-Session-Key": token, **changes}
            with Wire(self.server.port) as wire:
                wire.send(
                    upgrade_request(self.server.port, self.target(), headers)
                    + b"abc" * ("Content-Length" in changes)
                )
                self.assertEqual(wire.take_answer().status, 400, changes)
        self.assertTrue(self.server.is_admitted(token))

    def test_other_methods_are_405(self):
        for method in ("POST", "PUT", "DELETE"):
            reply = self.server.http(method, self.target())
            self.assertEqual((reply.status, reply.headers["Allow"]), (405, "GET, HEAD"))
            self.assertTrue(json.loads(reply.body)["message"])

    def test_an_unknown_path_is_404_in_the_same_shape(self):
        answer = open_websocket(self.server.port, "/v2/driveningress/websockets")
        self.assertEqual(answer.status, 404)
        self.assertEqual(list(json.loads(answer.body)), ["message"])

    def test_a_handshake_that_comes_byte_by_byte_is_accepted(self):
        target, headers = self.good()
        with Wire(self.server.port) as wire:
            for byte in upgrade_request(self.server.port, target, headers):
                wire.send(bytes([byte]))
            self.assertEqual(wire.take_head()[0], 101)

    def test_a_head_that_trickles_is_cut_though_something_always_comes(self):
        target, headers = self.good()
        request = upgrade_request(self.server.port, target, headers)[:-2] + b"X-Trickle: "
        began = time.monotonic()
        with Wire(self.server.port) as wire:
            wire.send(request)
            while not select.select([wire.tcp], [], [], 0.02)[0]:
                self.assertLess(time.monotonic() - began, 10)
                wire.send(b"x")
            self.assertEqual(wire.take_answer().status, 408)
        self.assertTrue(self.server.is_admitted(self.server.token()))

    def test_a_connection_that_says_nothing_at_all_holds_nobody_up(self):
        silent = [Wire(self.server.port) for _ in range(200)]
        try:
            self.assertTrue(self.server.is_admitted(self.server.token()))
        finally:
            for wire in silent:
                wire.drop()

    def test_a_frame_sent_before_the_answer_is_refused_or_read_but_never_lost(self):
        target, headers = self.good()
        early = frame(BINARY, messages.configure())
        with Wire(self.server.port) as wire:
            wire.send(upgrade_request(self.server.port, target, headers) + early)
            answer = wire.take_answer()
            # 101 where the head had been read before the frame came.
            self.assertIn(answer.status, (400, 101))
            if answer.status == 101:
                confirmed = messages.decode(WebSocket(wire).take_message())
                self.assertIsInstance(confirmed, messages.Confirmation)

    def test_a_refused_upgrade_leaves_the_connection_to_the_next_request(self):
        target, headers = self.good()
        with Wire(self.server.port) as wire:
            for _ in range(3):
                wire.send(upgrade_request(self.server.port, SOCKET_PATH, {}))
                self.assertEqual(wire.take_answer().status, 400)
            wire.send(upgrade_request(self.server.port, target, headers))
            self.assertEqual(wire.take_head()[0], 101)

    def test_extensions_and_protocols_that_are_offered_are_not_taken(self):
        target, headers = self.good(
            **{
                "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
                "Sec-WebSocket-Protocol": "chat",
            }
        )
        with Wire(self.server.port) as wire:
            wire.send(upgrade_request(self.server.port, target, headers))
            status, answer = wire.take_head()
        self.assertEqual(status, 101)
        self.assertNotIn("sec-websocket-extensions", answer)
        self.assertNotIn("sec-websocket-protocol", answer)


if __name__ == "__main__":
    main()
