"""POST /v1/console/session-tokens, against the real binary: what is minted and what is refused.

SPDX-License-Identifier: Apache-2.0
"""

import json
import time
import unittest
import zlib

from cases import MINT_PATH, Stage, claims_of, main, wait_until
from raw_websocket import Wire

DAY_SECONDS = 24 * 3600
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def now():
    return int(time.time())


def made_up_key(environment="test"):
    """A key that nobody made, with a checksum that holds: the CRC-32 as six base62 digits."""
    body = f"av_{environment}_" + "A" * 31
    number, checksum = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        checksum = BASE62[digit] + checksum
    return body + checksum


class MintCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Stage().__enter__()
        cls.addClassCleanup(cls.server.close)

    def post(self, body, key=None, content_type="application/json", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["X-Api-Key"] = self.server.api_key if key is None else key
        if content_type is not None:
            headers["Content-Type"] = content_type
        return self.server.http("POST", MINT_PATH, headers, body)

    def assert_minted(self, reply):
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertEqual(reply.headers["Cache-Control"], "no-store")
        body = reply.json()
        self.assertNotIn("errors", body)
        self.assertEqual(body["sessionToken"].count("."), 2)
        return body

    def assert_refused(self, reply, status, code, words="", pointer=None):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertEqual(reply.headers["Cache-Control"], "no-store")
        self.assertTrue(reply.headers["X-Request-Id"])
        body = reply.json()
        self.assertEqual(list(body), ["errors"])
        (error,) = body["errors"]
        expected = {"id", "status", "code", "title", "detail"} | ({"source"} if pointer else set())
        self.assertEqual(set(error), expected)
        self.assertIs(type(error["status"]), int)
        self.assertEqual(error["status"], status)
        self.assertEqual((error["id"], error["code"]), (code, code))
        self.assertTrue(error["title"])
        self.assertIn(words, error["detail"])
        if pointer:
            self.assertEqual(error["source"], {"pointer": pointer})
        self.assertNotIn(b"sessionToken", reply.body)
        # The vendor's clients would take this word for a LiveKit trouble.
        self.assertNotIn(b"unauthorized", reply.body.lower())
        return error


class Success(MintCase):
    def test_expireAt_as_a_number_gives_exactly_200_and_a_token_until_then(self):
        expires_at = now() + 600
        body = self.assert_minted(self.post({"expireAt": expires_at}))
        self.assertEqual(body["expireAt"], expires_at)
        self.assertEqual(claims_of(body["sessionToken"])["exp"], expires_at)

    def test_expire_at_in_snake_case_is_the_same(self):
        expires_at = now() + 600
        body = self.assert_minted(self.post({"expire_at": expires_at}))
        self.assertEqual(claims_of(body["sessionToken"])["exp"], expires_at)

    def test_digits_in_a_string_are_a_number_in_both_spellings(self):
        for name in ("expireAt", "expire_at"):
            expires_at = now() + 600
            body = self.assert_minted(self.post({name: str(expires_at)}))
            self.assertEqual(claims_of(body["sessionToken"])["exp"], expires_at)

    def test_further_members_are_ignored(self):
        for more in (
            {"modelVersion": ""},
            {"modelVersion": "v9"},
            {"appId": self.server.app_id},
            {"appId": ""},
            {"appId": None},
            {"avatarId": None},
            {"user": {"deep": [1, {"er": None}]}},
            {"appID": "not our spelling"},
            {"status": 200.5},
        ):
            self.assert_minted(self.post({"expireAt": now() + 600, **more}))

    def test_the_last_allowed_second_is_24_hours_ahead(self):
        expires_at = now() + DAY_SECONDS
        self.assertEqual(
            self.assert_minted(self.post({"expireAt": expires_at}))["expireAt"], expires_at
        )

    def test_a_lifetime_of_two_seconds_is_allowed(self):
        self.assert_minted(self.post({"expireAt": now() + 2}))

    def test_an_avatarId_binds_the_token_to_it(self):
        body = self.assert_minted(
            self.post({"expireAt": now() + 600, "avatarId": self.server.avatar_id})
        )
        self.assertEqual(claims_of(body["sessionToken"])["avatar"], self.server.avatar_id)

    def test_the_content_type_may_have_parameters_and_capitals(self):
        for content_type in (
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/json ;x=y",
        ):
            self.assert_minted(
                self.post(json.dumps({"expireAt": now() + 600}), content_type=content_type)
            )

    def test_header_names_have_no_case(self):
        for name in ("X-API-KEY", "x-api-key"):
            reply = self.server.http(
                "POST", MINT_PATH, {name: self.server.api_key}, {"expireAt": now() + 600}
            )
            self.assert_minted(reply)

    def test_blanks_around_the_json_and_a_query_do_no_harm(self):
        body = " \r\n\t" + json.dumps({"expireAt": now() + 600}) + "\n "
        self.assert_minted(self.post(body))
        reply = self.server.http(
            "POST",
            MINT_PATH + "?trace=1",
            {"X-Api-Key": self.server.api_key},
            {"expireAt": now() + 600},
        )
        self.assert_minted(reply)

    def test_a_body_in_chunks_is_read(self):
        body = json.dumps({"expireAt": now() + 600}).encode()
        head = (
            f"POST {MINT_PATH} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {self.server.api_key}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        ).encode()
        with Wire(self.server.port) as wire:
            wire.send(head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")
            self.assertEqual(wire.take_answer().status, 200)

    def test_two_tokens_are_never_the_same(self):
        expires_at = now() + 600
        tokens = {self.server.token(expireAt=expires_at) for _ in range(50)}
        self.assertEqual(len({claims_of(token)["jti"] for token in tokens}), 50)

    def test_a_token_carries_names_and_numbers_and_no_secret(self):
        claims = claims_of(self.server.token())
        self.assertEqual(
            set(claims),
            {
                "type",
                "aud",
                "iss",
                "sub",
                "accountId",
                "app",
                "key",
                "region",
                "env",
                "jti",
                "iat",
                "nbf",
                "exp",
                "uses",
                "leash",
            },
        )
        self.assertEqual(
            (claims["app"], claims["env"], claims["uses"]), (self.server.app_id, "test", 1)
        )
        self.assertNotIn(self.server.api_key, json.dumps(claims))

    def test_the_answer_is_valid_json_without_the_key(self):
        reply = self.post({"expireAt": now() + 600})
        self.assertNotIn(self.server.api_key.encode(), reply.body)
        self.assertEqual(set(reply.json()), {"sessionToken", "expireAt"})


class Body(MintCase):
    def refused(self, body, words="", pointer=None):
        return self.assert_refused(self.post(body), 400, "INVALID_ARGUMENT", words, pointer)

    def test_what_is_not_json_is_refused(self):
        for body in (
            "",
            " ",
            "{",
            '{"expireAt":1',
            "expireAt=1",
            '{"expireAt":1}}',
            "{'expireAt':1}",
            '{"expireAt":01}',
            '{"expireAt":1,}',
            '{"expireAt":NaN}',
            '{"expireAt":+1}',
            '{"expireAt":0x10}',
            "\ufeff{}",
            '{"a":"\n"}',
            '{"expireAt":1}\0',
            '{"expireAt":tru}',
            "//x\n{}",
            '{"a":"\\x"}',
            '{"a":"\\ud800"}',
        ):
            with self.subTest(body=body):
                self.refused(body.encode())

    def test_bytes_that_are_not_utf8_are_refused(self):
        for body in (
            b'{"a":"\xff"}',
            b'{"a":"\xc0\x80"}',
            b'{"a":"\xed\xa0\x80"}',
            b"\x00" * 20,
            b"\xff" * 20,
        ):
            with self.subTest(body=body):
                self.refused(body)

    def test_json_that_is_not_an_object_is_refused(self):
        for body in ("null", "1", '"expireAt"', "[]", '[{"expireAt":1}]', "true"):
            with self.subTest(body=body):
                self.refused(body)

    def test_json_nested_too_deep_is_refused_and_the_allowed_depth_is_not(self):
        at = '{"expireAt":%d,"a":%s}'
        self.assert_minted(self.post(at % (now() + 600, "[" * 30 + "]" * 30)))
        for depth in (33, 100, 100_000):
            self.refused(at % (now() + 600, "[" * depth + "]" * depth), "deep")
        self.refused("[" * 500_000)
        self.refused('{"a":' * 100_000)

    def test_a_member_given_twice_is_refused_wherever_it_stands(self):
        good = now() + 600
        for body in (
            '{"expireAt":%d,"expireAt":%d}' % (good, good),
            '{"expireAt":%d,"a":{"b":1,"b":2}}' % good,
            '{"expireAt":%d,"a":[{"b":1,"b":1}]}' % good,
            '{"expireAt":%d,"expire\\u0041t":%d}' % (good, good),
        ):
            with self.subTest(body=body):
                self.refused(body, "twice")

    def test_a_body_over_a_mebibyte_is_refused_with_413_however_it_is_sent(self):
        large = b'{"expireAt":%d,"a":"' % (now() + 600) + b"x" * (1 << 20) + b'"}'
        self.assert_refused(self.post(large), 413, "INVALID_ARGUMENT")
        just_fits = b'{"expireAt":%d,"a":"' % (now() + 600) + b"x" * ((1 << 20) - 64) + b'"}'
        self.assert_minted(self.post(just_fits))
        head = (
            f"POST {MINT_PATH} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {self.server.api_key}\r\n"
            "Content-Type: application/json\r\n"
        ).encode()
        for framing in (
            b"Content-Length: 99999999999\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n" + b"x" * (2 << 20),
        ):
            with Wire(self.server.port) as wire:
                wire.send(head + framing)
                self.assertEqual(wire.take_answer().status, 413)

    def test_another_content_type_or_none_is_415(self):
        body = json.dumps({"expireAt": now() + 600})
        for content_type in (
            None,
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "application/problem+json",
            "json",
            "text/json",
            "application/json, text/plain",
        ):
            with self.subTest(content_type=content_type):
                self.assert_refused(
                    self.post(body, content_type=content_type), 415, "INVALID_ARGUMENT"
                )


class ExpireAt(MintCase):
    def refused(self, value, words=""):
        for name in ("expireAt", "expire_at"):
            with self.subTest(value=value, name=name):
                reply = self.post('{"%s":%s}' % (name, value))
                self.assert_refused(reply, 400, "INVALID_ARGUMENT", words, "/expireAt")

    def test_missing_or_null_is_refused(self):
        self.assert_refused(self.post({}), 400, "INVALID_ARGUMENT", "missing", "/expireAt")
        self.assert_refused(
            self.post({"expireat": now() + 600}), 400, "INVALID_ARGUMENT", "missing", "/expireAt"
        )
        self.refused("null", "missing")

    def test_past_now_zero_and_negative_are_refused(self):
        for value in (1, 0, -1, -(2**63), now() - 1, now(), '"0"', '"-5"'):
            self.refused(value, "future")

    def test_more_than_24_hours_ahead_is_refused_up_to_the_largest_number(self):
        for value in (
            now() + DAY_SECONDS + 60,
            now() * 1000,
            253402300800,
            2**63 - 1,
            '"%d"' % (2**63 - 1),
        ):
            self.refused(value, "24 hours")

    def test_what_is_not_a_whole_number_of_64_bits_is_refused(self):
        later = now() + 600
        for value in (
            f"{later}.0",
            f"{later}.5",
            "1e10",
            '"soon"',
            '""',
            '"1e9"',
            f'"{later}.0"',
            f'" {later}"',
            f'"{later} "',
            f'"+{later}"',
            f'"0x{later:x}"',
            "true",
            "[]",
            "{}",
            f"[{later}]",
            2**63,
            2**64,
            f'"{2 ** 63}"',
            "1" + "0" * 400,
            '"' + "9" * 400 + '"',
            '"2026-11-24T00:00:00Z"',
            "1e400",
        ):
            for name in ("expireAt", "expire_at"):
                with self.subTest(value=value, name=name):
                    reply = self.post('{"%s":%s}' % (name, value))
                    self.assertEqual(reply.status, 400, reply.body)
                    self.assertEqual(reply.json()["errors"][0]["code"], "INVALID_ARGUMENT")

    def test_both_spellings_at_once_are_refused_even_when_equal(self):
        later = now() + 600
        reply = self.post({"expireAt": later, "expire_at": later})
        self.assert_refused(reply, 400, "INVALID_ARGUMENT", "not both", "/expireAt")


class AppAndAvatar(MintCase):
    def test_another_appId_than_the_keys_is_refused(self):
        for app_id in (
            "app_00000000000000000000",
            self.server.app_id.lower(),
            self.server.app_id + "x",
            " ",
        ):
            reply = self.post({"expireAt": now() + 600, "appId": app_id})
            self.assert_refused(reply, 403, "PERMISSION_DENIED", "another app", "/appId")

    def test_an_unknown_avatarId_is_refused(self):
        for avatar_id in (
            "00000000-0000-4000-8000-000000000000",
            "x",
            self.server.avatar_id + " ",
            "../" * 9,
        ):
            reply = self.post({"expireAt": now() + 600, "avatarId": avatar_id})
            self.assert_refused(reply, 404, "NOT_FOUND", "avatar", "/avatarId")

    def test_ids_of_another_kind_or_too_long_are_refused(self):
        for name in ("appId", "avatarId"):
            for value in (1, True, [], {}, "x" * 129, "x" * 100_000):
                reply = self.post({"expireAt": now() + 600, name: value})
                self.assert_refused(reply, 400, "INVALID_ARGUMENT", name, "/" + name)


class Key(MintCase):
    def refused(self, key, words=""):
        reply = self.post({"expireAt": now() + 600}, key=key)
        return self.assert_refused(reply, 401, "INVALID_ARGUMENT", words)

    def test_a_missing_or_empty_key_is_refused(self):
        reply = self.server.http("POST", MINT_PATH, {}, {"expireAt": now() + 600})
        self.assert_refused(reply, 401, "INVALID_ARGUMENT", "X-Api-Key")
        self.refused("", "X-Api-Key")
        self.refused("   ", "X-Api-Key")

    def test_a_key_in_another_place_is_not_read(self):
        key = self.server.api_key
        for headers in (
            {"Authorization": "Bearer " + key},
            {"Api-Key": key},
            {"Cookie": "X-Api-Key=" + key},
        ):
            reply = self.server.http("POST", MINT_PATH, headers, {"expireAt": now() + 600})
            self.assert_refused(reply, 401, "INVALID_ARGUMENT", "X-Api-Key")
        reply = self.server.http(
            "POST", MINT_PATH + "?apiKey=" + key, {}, {"expireAt": now() + 600}
        )
        self.assert_refused(reply, 401, "INVALID_ARGUMENT", "X-Api-Key")

    def test_a_key_with_white_space_inside_is_told_so(self):
        key = self.server.api_key
        self.refused(key[:20] + " " + key[20:], "white space")
        self.refused(key[:20] + "\t" + key[21:], "white space")

    def test_blanks_around_the_header_value_do_no_harm(self):
        self.assert_minted(
            self.post({"expireAt": now() + 600}, key="  " + self.server.api_key + " \t")
        )

    def test_a_mistyped_key_is_told_by_its_checksum_whichever_character_it_is(self):
        key = self.server.api_key
        for at in range(len("av_test_"), len(key)):
            wrong = key[:at] + ("a" if key[at] != "a" else "b") + key[at + 1 :]
            self.refused(wrong, "checksum")
        for at in range(len("av_test_"), len(key) - 1):
            if key[at] != key[at + 1]:
                self.refused(key[:at] + key[at + 1] + key[at] + key[at + 2 :], "checksum")

    def test_what_has_not_the_form_of_a_key_is_refused(self):
        key = self.server.api_key
        for wrong in (
            key[:-1],
            key + "0",
            key[1:],
            key.upper(),
            key.replace("av_test_", "av_prod_"),
            "av_test_",
            "x",
            "sk-" + "A" * 42,
            key * 2,
            "av_test_" + "-" * 37,
            "av_test_" + "é" * 37,
            "null",
            "x" * 8000,
        ):
            with self.subTest(key=wrong[:60]):
                reply = self.post({"expireAt": now() + 600}, key=wrong.encode("latin-1"))
                self.assert_refused(reply, 401, "INVALID_ARGUMENT")

    def test_a_key_of_one_environment_does_not_become_one_of_the_other(self):
        self.refused(self.server.api_key.replace("av_test_", "av_live_"), "checksum")

    def test_an_unknown_key_and_a_revoked_key_get_the_same_bytes(self):
        made = json.loads(self.server.must("key", "create", "--json", "--name", "short-lived"))
        wait_until(
            lambda: self.server.mint(made["api_key"]).status == 200, "the new key to be known"
        )
        self.server.must("key", "revoke", made["id"])
        wait_until(
            lambda: self.server.mint(made["api_key"]).status == 401, "the revocation to be known"
        )
        revoked = self.post({"expireAt": now() + 600}, key=made["api_key"])
        unknown = self.post({"expireAt": now() + 600}, key=made_up_key())
        self.assertEqual(unknown.body, revoked.body)
        differs = {"X-Request-Id", "Date"}
        headers = [
            {name: value for name, value in reply.headers.items() if name not in differs}
            for reply in (unknown, revoked)
        ]
        self.assertEqual(*headers)
        self.assert_refused(revoked, 401, "INVALID_ARGUMENT")

    def test_two_key_headers_are_refused_even_when_equal(self):
        body = json.dumps({"expireAt": now() + 600})
        for second in (self.server.api_key, "", made_up_key()):
            with Wire(self.server.port) as wire:
                wire.send(
                    (
                        f"POST {MINT_PATH} HTTP/1.1\r\nHost: x\r\n"
                        f"X-Api-Key: {self.server.api_key}\r\n"
                        f"x-api-key: {second}\r\nContent-Type: application/json\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}"
                    ).encode()
                )
                answer = wire.take_answer()
                self.assertEqual(answer.status, 400)
                self.assertNotIn(b"sessionToken", answer.body)

    def test_a_bad_key_is_told_before_anything_about_the_body(self):
        for body, content_type in (("{", "application/json"), ("x", "text/plain"), ("{}", None)):
            reply = self.post(body, key=made_up_key(), content_type=content_type)
            self.assert_refused(reply, 401, "INVALID_ARGUMENT")

    def test_a_live_key_mints_live_tokens(self):
        made = json.loads(self.server.must("key", "create", "--live", "--json"))
        self.assertTrue(made["api_key"].startswith("av_live_"))
        wait_until(
            lambda: self.server.mint(made["api_key"]).status == 200, "the new key to be known"
        )
        claims = claims_of(self.server.token(made["api_key"]))
        self.assertEqual((claims["env"], claims["key"]), ("live", made["id"]))


class Environment(MintCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Stage("[keys]\naccept_test = false\n").__enter__()
        cls.addClassCleanup(cls.server.close)

    def test_a_key_of_the_wrong_environment_is_told_so_whether_or_not_it_exists(self):
        replies = [
            self.post({"expireAt": now() + 600}, key=key)
            for key in (self.server.api_key, made_up_key())
        ]
        for reply in replies:
            self.assert_refused(reply, 401, "INVALID_ARGUMENT", "live keys (av_live_) only")
        self.assertEqual(replies[0].body, replies[1].body)

    def test_a_key_of_the_right_environment_works(self):
        made = json.loads(self.server.must("key", "create", "--live", "--json"))
        wait_until(
            lambda: self.server.mint(made["api_key"]).status == 200, "the new key to be known"
        )


class Path(MintCase):
    def test_another_method_is_405_and_says_which_is_allowed(self):
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            reply = self.server.http(method, MINT_PATH, {"X-Api-Key": self.server.api_key})
            self.assertEqual(reply.headers["Allow"], "POST", method)
            self.assert_refused(reply, 405, "INVALID_ARGUMENT")

    def test_an_unknown_path_is_404_in_the_same_shape(self):
        for path in (
            "/v1/console/",
            "/v1/console/session-token",
            MINT_PATH + "/",
            MINT_PATH + "/x",
            "/v1/console/Session-Tokens",
        ):
            reply = self.server.http(
                "POST", path, {"X-Api-Key": self.server.api_key}, {"expireAt": now() + 600}
            )
            self.assert_refused(reply, 404, "NOT_FOUND")

    def test_after_every_refusal_the_next_request_on_the_connection_is_served(self):
        bad = b"{}"
        good = json.dumps({"expireAt": now() + 600}).encode()
        head = (
            f"POST {MINT_PATH} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {self.server.api_key}\r\n"
            "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        )
        with Wire(self.server.port) as wire:
            both = [(head % len(body)).encode() + body for body in (bad, good)]
            wire.send(b"".join(both * 20))
            self.assertEqual([wire.take_answer().status for _ in range(40)], [400, 200] * 20)


    # Rule session-token-minting-writes-nothing.
    def test_a_hundred_mints_change_no_file_of_the_data_folder(self):
        def state():
            return {
                path.name: (path.stat().st_size, path.stat().st_mtime_ns)
                for path in self.server.data.iterdir()
                if path.name != "log"
            }

        self.server.token()
        before = state()
        for _ in range(100):
            self.server.token()
        self.assertEqual(state(), before)

if __name__ == "__main__":
    main()
