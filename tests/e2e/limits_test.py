"""Rate limits against the real binary, as its guide says them: who has which, and what is told.

No test waits for time to pass: each caller is a network of its own, told by a trusted proxy.

SPDX-License-Identifier: Apache-2.0
"""

import itertools
import json
import re
import time
import unittest

from cases import MINT_PATH, Stage, main, wait_until
from mint_test import made_up_key
from raw_websocket import Refusal, open_websocket

# Real limits, and this machine as the proxy that speaks for everybody.
BEHIND_A_PROXY = '[server]\ntrusted_proxies = ["127.0.0.0/8"]\n[limits]\n'
ROOMS_PATH = "/v1/room-tokens/livekit"
_networks = itertools.count(1)


def fresh_network():
    """An IPv4 address that no other test has."""
    number = next(_networks)
    return f"203.0.{number // 250}.{number % 250 + 1}"


class LimitsCase(unittest.TestCase):
    settings = BEHIND_A_PROXY

    @classmethod
    def setUpClass(cls):
        cls.server = Stage(cls.settings).__enter__()
        cls.addClassCleanup(cls.server.close)

    def mint(self, network=None, key=None, **headers):
        """One call of a caller in a network; without one, from this machine itself."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if network is not None:
            headers["X-Forwarded-For"] = network
        if key != "":
            headers["X-Api-Key"] = key or self.server.api_key
        return self.server.http("POST", MINT_PATH, headers, {"expireAt": int(time.time()) + 600})

    def statuses(self, count, **how):
        return [self.mint(**how).status for _ in range(count)]

    def counted(self, kind, outcome):
        text = self.server.http("GET", "/metrics").body.decode()
        line = f'stagedoor_rate_limit_calls_total{{kind="{kind}",outcome="{outcome}"}} '
        return next(float(row.split()[1]) for row in text.splitlines() if row.startswith(line))


class EnginePaths(LimitsCase):
    def test_who_guesses_engine_paths_has_ten_at_once_and_a_good_one_is_let_in_all_the_same(self):
        header = {"X-Forwarded-For": fresh_network()}
        started = self.server.http(
            "POST", "/v1/engine/session", header | {"Authorization": f"Bearer {self.server.api_key}"},
            {"personaConfig": {"avatarId": self.server.avatar_id, "systemPrompt": "Hello."}}).json()
        session = f"?session_id={started['sessionId']}"
        socket = lambda path: open_websocket(self.server.port, path + session, header.items())
        talk = lambda engine: self.server.http(
            "POST", f"/v1/webrtc/engines/{engine}/talk{session}", header, {"content": "Hi."})
        answers = [socket("/v1/webrtc/engines/guess/ws") for _ in range(5)]
        self.assertEqual([answer.status for answer in answers], [404] * 5)
        self.assertEqual(answers[-1].headers["x-ratelimit-remaining"], "5")
        self.assertEqual([talk("guess").status for _ in range(6)], [404] * 5 + [429])
        refusal = socket("/v1/webrtc/engines/guess/ws")
        self.assertEqual(refusal.status, 429)
        self.assertIn(int(refusal.headers["retry-after"]), range(1, 13))
        good = socket(started["signallingEndpoint"])
        self.assertNotIsInstance(good, Refusal)
        good.wire.drop()
        self.assertEqual(talk(started["signallingEndpoint"].split("/")[4]).status, 200)
        asked = [("GET /v1/webrtc/engines/{engine_key}/ws", 6),
                 ("POST /v1/webrtc/engines/{engine_key}/talk", 6)]
        for action, count in asked:
            wait_until(lambda: len(self.server.audited(action)) == count, "the guesses to be noted")
            refused = 1
            self.assertEqual({(entry["outcome"], entry["peer"])
                              for entry in self.server.audited(action)},
                             {(refused, header["X-Forwarded-For"])})


class Defaults(LimitsCase):
    # Rule rate-limit-gcra.
    def test_a_free_key_has_twenty_calls_at_once_and_the_next_is_429_in_the_dialects_shape(self):
        network = fresh_network()
        replies = [self.mint(network) for _ in range(21)]
        self.assertEqual([reply.status for reply in replies], [200] * 20 + [429])
        refusal = replies[-1]
        self.assertEqual(refusal.headers["Content-Type"], "application/json")
        (error,) = refusal.json()["errors"]
        self.assertEqual((error["status"], error["code"]), (429, "QUOTA_EXCEEDED"))
        self.assertNotIn(b"sessionToken", refusal.body)
        self.assertIn(int(refusal.headers["Retry-After"]), range(1, 7))

    # Rule rate-limit-told.
    def test_the_headers_of_both_forms_are_exact_at_each_call(self):
        network, began = fresh_network(), time.time()
        for used in range(1, 21):
            headers = self.mint(network).headers
            self.assertEqual(headers["X-RateLimit-Limit"], "20")
            # Calls come back while the test runs: one each 6 s.
            back = int((time.time() - began) / 6)
            remaining = int(headers["X-RateLimit-Remaining"])
            self.assertIn(remaining, range(20 - used, 20 - used + back + 1))
            self.assertEqual(headers["RateLimit-Policy"], '"api-key";q=20;w=120')
            told = re.fullmatch(r'"api-key";r=(\d+);t=(\d+)', headers["RateLimit"])
            self.assertEqual(int(told[1]), remaining)
            self.assertIn(int(told[2]), range(1, 7))
            full_in = int(headers["X-RateLimit-Reset"]) - began
            self.assertLess(abs(full_in - 6 * used), 2)
            self.assertIsNone(headers["Retry-After"])

    # Rule rate-limit-told.
    def test_a_refusal_for_another_reason_carries_them_too(self):
        network = fresh_network()
        headers = {"X-Api-Key": self.server.api_key, "X-Forwarded-For": network}
        bad = self.server.http("POST", MINT_PATH, headers, {"expireAt": "soon"})
        self.assertEqual(bad.status, 400)
        self.assertEqual(bad.headers["X-RateLimit-Remaining"], "19")
        unknown = self.mint(network, key=made_up_key())
        self.assertEqual(unknown.status, 401)
        self.assertEqual(unknown.headers["X-RateLimit-Remaining"], "9")
        self.assertEqual(unknown.headers["RateLimit-Policy"], '"stranger";q=10;w=120')

    # Rule rate-limit-by-kind.
    def test_who_has_no_good_credential_has_ten_calls_at_once(self):
        network = fresh_network()
        ways = ("", made_up_key(), "av_test_wrong", made_up_key("live"))
        statuses = [self.mint(network, key=ways[i % len(ways)]).status for i in range(11)]
        self.assertEqual(statuses, [401] * 10 + [429])
        refusal = self.mint(network, key="")
        self.assertIn(int(refusal.headers["Retry-After"]), range(1, 13))

    def test_who_guesses_session_tokens_has_ten_at_once_and_a_good_one_is_let_in_all_the_same(self):
        network = fresh_network()
        header = {"X-Forwarded-For": network}
        answers = [self.server.knock(f"e30.e30.guess{at}", headers=header) for at in range(12)]
        self.assertEqual([answer.status for answer in answers], [400] * 10 + [429] * 2)
        self.assertEqual(answers[-1].headers["retry-after"], "12")
        self.assertEqual(answers[0].headers["x-ratelimit-remaining"], "9")
        self.assertTrue(self.server.is_admitted(self.server.token(), headers=header))

    def test_our_own_api_refuses_with_a_problem_document(self):
        network = fresh_network()
        for _ in range(11):
            reply = self.server.http("POST", ROOMS_PATH, {"X-Forwarded-For": network}, {})
        self.assertEqual(reply.status, 429)
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        self.assertEqual(reply.json()["type"], "/problems/rate-limited")
        self.assertTrue(reply.headers["Retry-After"])

    # Rule rate-limit-by-network.
    def test_guesses_do_not_lock_out_a_good_key_of_the_same_network(self):
        network = fresh_network()
        self.assertEqual(self.statuses(15, network=network, key=made_up_key())[-1], 429)
        self.assertEqual(self.mint(network).status, 200)

    # Rule rate-limit-by-network.
    def test_a_key_used_up_in_one_network_is_good_in_another(self):
        thief, owner = fresh_network(), fresh_network()
        self.assertEqual(self.statuses(21, network=thief)[-1], 429)
        self.assertEqual(self.mint(owner).headers["X-RateLimit-Remaining"], "19")

    # Rule rate-limit-by-network.
    def test_strangers_of_one_IPv6_64_count_together_and_those_of_the_next_do_not(self):
        for host in range(10):
            self.assertEqual(self.mint(f"2001:db8:7:1::{host + 1:x}", key="").status, 401)
        self.assertEqual(self.mint("2001:db8:7:1:ffff:ffff:ffff:ffff", key="").status, 429)
        self.assertEqual(self.mint("2001:db8:7:2::1", key="").status, 401)

    def test_two_keys_have_a_limit_each(self):
        network = fresh_network()
        second = json.loads(self.server.must("key", "create", "--json"))["api_key"]
        wait_until(
            lambda: self.mint(fresh_network(), key=second).status == 200, "the key to be known"
        )
        self.assertEqual(self.statuses(21, network=network)[-1], 429)
        self.assertEqual(self.mint(network, key=second).headers["X-RateLimit-Remaining"], "19")

    def test_what_no_limit_counted_tells_none(self):
        key = {"X-Api-Key": self.server.api_key}
        for method, path, status in (
            ("GET", "/healthz", 200),
            ("GET", "/readyz", 200),
            ("GET", "/metrics", 200),
            ("GET", "/", 200),
            ("GET", "/nothing/here", 404),
            ("GET", "/v1/console/nothing", 404),
            ("GET", MINT_PATH, 405),
            ("GET", "/v2/character/x", 400),
        ):
            reply = self.server.http(method, path, key)
            self.assertEqual(reply.status, status, path)
            self.assertNotIn("ratelimit", str(reply.headers).lower(), path)

    # Rule page-mints-for-its-own.
    def test_the_page_opens_as_many_sessions_as_its_key_may_mint(self):
        origin = {"Origin": self.server.address}
        statuses = [self.server.http("POST", "/door/session", origin).status for _ in range(21)]
        self.assertEqual(statuses, [200] * 20 + [429])

    def test_metrics_count_what_the_limits_said(self):
        before = self.counted("stranger", "allowed"), self.counted("stranger", "refused")
        self.statuses(13, network=fresh_network(), key="")
        after = self.counted("stranger", "allowed"), self.counted("stranger", "refused")
        self.assertEqual((after[0] - before[0], after[1] - before[1]), (10, 3))


class ByTheirProxy(LimitsCase):
    # Rule client-address-by-trusted-proxies.
    def test_the_last_address_that_is_no_proxy_counts_whatever_the_client_wrote_before_it(self):
        network = fresh_network()
        for i in range(10):
            chain = f"198.51.100.{i}, {network}, 127.0.0.7"
            self.assertEqual(self.mint(chain, key="").status, 401)
        self.assertEqual(self.mint(network, key="").status, 429)
        self.assertEqual(self.mint("198.51.100.1", key="").status, 401)

    # Rule client-address-by-trusted-proxies.
    def test_garbage_counts_against_the_proxy_that_passed_it_on(self):
        for i in range(10):
            self.assertEqual(self.mint(f"unknown-{i}", key="").status, 401)
        self.assertEqual(self.mint("nobody:80", key="").status, 429)
        self.assertEqual(self.mint(key="").status, 429)
        self.assertEqual(self.mint(fresh_network(), key="").status, 401)

    def test_the_log_names_the_client_and_not_the_proxy(self):
        network = fresh_network()
        self.mint(network, key="")
        self.server.wait_for_log("http.request", peer=network, status=401)


class WithoutAProxy(LimitsCase):
    settings = "[limits]\n"

    # Rule client-address-by-trusted-proxies.
    def test_nobody_gets_another_limit_by_a_header(self):
        statuses = [self.mint(fresh_network(), key="", X_Real_IP=fresh_network(),
                              Forwarded=f"for={fresh_network()}").status for _ in range(11)]
        self.assertEqual(statuses, [401] * 10 + [429])


class Settings(LimitsCase):
    settings = BEHIND_A_PROXY + (
        'api_key_free = "2/hour"\nstranger = "unlimited"\nkeys_count_per_network = false\n'
    )

    def test_limits_are_what_the_settings_say_and_a_key_may_count_for_all_networks(self):
        statuses = [self.mint(fresh_network()).status for _ in range(3)]
        self.assertEqual(statuses, [200, 200, 429])
        reply = self.mint(fresh_network())
        self.assertEqual(reply.headers["RateLimit-Policy"], '"api-key";q=2;w=3600')
        self.assertIn(int(reply.headers["Retry-After"]), range(1700, 1801))

    def test_unlimited_refuses_nobody_and_tells_no_limit(self):
        network = fresh_network()
        self.assertEqual(set(self.statuses(100, network=network, key="")), {401})
        self.assertNotIn("ratelimit", str(self.mint(network, key="").headers).lower())


class Shadow(LimitsCase):
    settings = BEHIND_A_PROXY + 'shadow = ["api-key"]\n'

    # Rule rate-limit-shadow.
    def test_a_limit_that_only_watches_refuses_nobody_and_counts_what_it_would_have(self):
        network = fresh_network()
        replies = [self.mint(network) for _ in range(25)]
        self.assertEqual({reply.status for reply in replies}, {200})
        self.assertEqual(replies[-1].headers["X-RateLimit-Remaining"], "0")
        self.assertIsNone(replies[-1].headers["Retry-After"])
        self.assertEqual(self.counted("api-key", "allowed"), 20)
        self.assertEqual(self.counted("api-key", "shadowed"), 5)
        self.assertEqual(self.counted("api-key", "refused"), 0)

    # Rule rate-limit-shadow.
    def test_the_other_limits_hold(self):
        self.assertEqual(self.statuses(11, network=fresh_network(), key="")[-1], 429)


class OfApp(LimitsCase):
    # Rule rate-limit-of-app.
    def test_an_apps_used_up_limit_keeps_nobody_from_freezing_and_revoking(self):
        def call(path, key, body=None):
            bearer = {"Authorization": "Bearer " + key, "X-Forwarded-For": fresh_network()}
            return self.server.http("POST", path, bearer, body)

        owner = self.server.api_key
        frozen, revoked, found = (call("/v1/keys", owner, {"name": "k"}).json() for _ in range(3))
        self.server.must("app", "set", self.server.app_id, "--rate-limit", "1/day")
        thief = lambda: self.mint(fresh_network(), frozen["api_key"])
        wait_until(lambda: thief().status == 429, "the app's limit to be used up")
        self.assertEqual(call("/v1/keys", owner, {"name": "k"}).status, 429)
        for path, key, body, state in (
            (f"/v1/keys/{frozen['id']}/freeze", owner, None, "frozen"),
            (f"/v1/keys/{revoked['id']}/revoke", owner, None, "revoked"),
            ("/v1/keys/revoke", found["api_key"], {"key": found["api_key"]}, "revoked"),
        ):
            reply = call(path, key, body)
            self.assertEqual((reply.status, reply.json().get("state")), (200, state), reply.body)
        ended = call("/v1/session-tokens/revoke", owner, {"api_key_id": frozen["id"]})
        self.assertEqual(ended.status, 200, ended.body)


class Bounded(LimitsCase):
    settings = BEHIND_A_PROXY + "strangers_max = 100\n"

    # Rule rate-limit-bounded.
    def test_a_flood_of_networks_takes_no_memory_and_nobodys_key(self):
        def flood(networks):
            statuses = [self.mint(fresh_network(), key="").status for _ in range(networks)]
            self.assertEqual(set(statuses), {401, 429})

        flood(700)  # the table is full, and an allocator holds what it keeps back
        before = self.server.resident_bytes()
        flood(1500)
        self.assertLess(self.server.resident_bytes() - before, 8 << 20)
        text = self.server.http("GET", "/metrics").body.decode()
        self.assertGreater(
            float(re.search(r"^stagedoor_rate_limit_overflow_total (\S+)$", text, re.M)[1]), 0
        )
        self.assertEqual(self.statuses(20, network=fresh_network()), [200] * 20)


if __name__ == "__main__":
    main()
