"""API keys over our own API: every endpoint with every status that it can answer.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import hashlib
import json
import time
import unittest

from cases import Stage, is_ahead, main, wait_until
from mint_test import made_up_key
from motion_messages import Error

NO_KEY = "key_0123456789abcdef"
NOBODYS_KEY = made_up_key()


class KeyCase(unittest.TestCase):
    settings = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Stage(cls.settings).__enter__()
        cls.addClassCleanup(cls.server.close)
        cls.live = json.loads(cls.server.must("key", "create", "--live", "--json"))
        cls.other_app = cls.server.second_app()
        made = cls.server.must("key", "create", "--app", cls.other_app, "--name", "o", "--json")
        cls.other = json.loads(made)
        for made in (cls.live, cls.other):
            wait_until(lambda: cls.call("GET", "/v1/keys", key=made["api_key"]).status == 200, "keys")

    @classmethod
    def call(cls, method, path, body=None, key=None):
        headers = {"Authorization": f"Bearer {key or cls.server.api_key}"}
        return cls.server.http(method, path, headers, body)

    def make(self, key=None, **wish):
        reply = self.call("POST", "/v1/keys", {"name": "made", **wish}, key)
        self.assertEqual(reply.status, 201, reply.body)
        self.assertEqual(reply.headers["Cache-Control"], "no-store")
        return reply.json()

    def changed(self, made, verb, body=None, status=200, key=None):
        reply = self.call("POST", f"/v1/keys/{made['id']}/{verb}", body, key)
        self.assertEqual(reply.status, status, reply.body)
        return reply.json()

    def refused(self, reply, status, words=""):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        self.assertIn(words, reply.json().get("detail", ""))

    def works(self, text):
        return self.call("GET", "/v1/keys?limit=1", key=text).status == 200


class Creating(KeyCase):
    # Rule api-key-shown-once.
    def test_201_a_key_with_all_its_terms_is_shown_this_once(self):
        expires_at = int(time.time()) + 3600
        made = self.make(
            name="for the kiosk", scopes=["tokens:mint", "keys:*"], networks=["127.0.0.0/8", "::1/128"],
            expires_at=expires_at, rate_limit="3/min burst 5",
        )
        self.assertTrue(made["api_key"].startswith("av_test_"))
        self.assertEqual(made["scopes"], ["tokens:mint", "keys:read", "keys:write", "keys:verify"])
        self.assertEqual(made["networks"], ["127.0.0.0/8", "::1/128"])
        self.assertEqual((made["expires_at"], made["state"]), (expires_at, "good"))
        self.assertEqual(made["rate_limit"], "3/min burst 5")
        self.assertRegex(made["created_by"], "^key_[0-9a-f]{16}$")
        for path in (f"/v1/keys/{made['id']}", "/v1/keys", f"/v1/keys/{made['id']}/blast-radius"):
            reply = self.call("GET", path)
            self.assertEqual(reply.status, 200)
            self.assertNotIn(made["api_key"], reply.body.decode())
        self.assertNotIn(made["api_key"], self.server.log())

    def test_400_what_is_wrong_is_named(self):
        for body, words in (
            ({}, "name"),
            ({"name": "k", "scopes": ["tokens:mnt"]}, "tokens:mint"),
            ({"name": "k", "networks": ["192.0.2.1/24"]}, "192.0.2.1/24"),
            ({"name": "k", "expires_at": 1}, "expires_at"),
            ({"name": "k", "tier": "platinum"}, "platinum"),
            ({"name": "k", "rate_limit": "often"}, "rate_limit"),
            ({"name": "k", "scope": ["*"]}, "scope"),
            ({"name": 7}, "name"),
            ([], "object"),
        ):
            self.refused(self.call("POST", "/v1/keys", body), 400, words)

    def test_401_without_a_good_key(self):
        self.assertEqual(self.server.http("POST", "/v1/keys", {}, {"name": "k"}).status, 401)
        self.assertEqual(self.call("POST", "/v1/keys", {"name": "k"}, "av_test_no").status, 401)

    # Rule app-chosen-by-its-owner.
    def test_403_a_test_key_makes_no_live_one_nor_sees_what_is_live(self):
        live = {"environment": "live"}
        for method, path, body in (
            ("POST", "/v1/keys", {"name": "k", **live}),
            ("POST", "/v1/session-tokens", live),
            ("POST", "/v1/session-tokens/revoke", {"end_user_id": "ada", **live}),
            ("GET", "/v1/sessions/concurrency?environment=live", None),
            ("GET", "/v1/usage?environment=live", None),
        ):
            reply = self.call(method, path, body)
            self.assertEqual(reply.status, 403, (path, reply.body))

    # Rule api-key-never-stronger.
    def test_403_a_weak_key_makes_no_stronger_one_and_one_without_the_scope_none(self):
        weak = self.make(scopes=["keys:write"])["api_key"]
        self.refused(self.call("POST", "/v1/keys", {"name": "k", "scopes": ["tts:speak"]}, weak),
                     403, "tts:speak")
        reader = self.make(scopes=["read-only"])["api_key"]
        self.refused(self.call("POST", "/v1/keys", {"name": "k"}, reader), 403, "keys:write")

    def test_404_for_an_app_that_is_another_ones_as_for_none(self):
        replies = [self.call("POST", "/v1/keys", {"name": "k", "app_id": app})
                   for app in (self.other_app, "app_" + "9" * 20)]
        self.assertEqual([reply.status for reply in replies], [404, 404])
        self.assertEqual(replies[0].body, replies[1].body)

    # Rule api-key-networks.
    def test_403_from_a_network_that_the_key_is_not_for(self):
        made = self.make(networks=["192.0.2.0/24"])
        self.refused(self.call("GET", "/v1/keys", key=made["api_key"]), 403, "network")


class Reading(KeyCase):
    def test_200_a_list_in_pages_with_when_each_was_last_used(self):
        used, unused = self.make(name="used"), self.make(name="unused")
        began = time.time()
        self.assertTrue(self.works(used["api_key"]))
        seen, cursor = [], ""
        while cursor is not None:
            page = self.call("GET", "/v1/keys?limit=2" + (f"&cursor={cursor}" if cursor else ""))
            self.assertEqual(page.status, 200)
            self.assertLessEqual(len(page.json()["data"]), 2)
            seen += page.json()["data"]
            cursor = page.json()["next"]
        ids = [key["id"] for key in seen]
        self.assertEqual(len(ids), len(set(ids)))
        # Rule list-in-order-of-making.
        self.assertEqual(ids[:2], [unused["id"], used["id"]])
        found = {key["id"]: key for key in seen}
        self.assertIsNone(found[unused["id"]]["last_use"])
        self.assertEqual(found[used["id"]]["last_use"]["network"], "127.0.0.1")
        self.assertEqual(found[used["id"]]["last_use"]["count"], 1)
        self.assertTrue(is_ahead(found[used["id"]]["last_use"]["used_at"], 0, began))

    # Rule api-key-live-and-test-apart.
    def test_200_a_test_key_lists_no_live_one(self):
        ids = {key["id"] for key in self.call("GET", "/v1/keys?limit=1000").json()["data"]}
        self.assertNotIn(self.live["id"], ids)
        self.assertNotIn(self.other["id"], ids)

    def test_400_a_cursor_or_a_limit_that_is_none(self):
        for query in ("limit=0", "limit=1001", "limit=x", "cursor=x", "environment=prod"):
            self.refused(self.call("GET", "/v1/keys?" + query), 400)

    # Rule api-key-live-and-test-apart.
    def test_404_for_a_key_of_another_app_or_environment_byte_for_byte_as_for_none(self):
        for method, verb, body in (
            ("GET", "", None), ("GET", "/blast-radius", None), ("POST", "/freeze", {}),
            ("POST", "/unfreeze", None), ("POST", "/revoke", {"reason": "x"}),
            ("POST", "/rotate", {"grace_seconds": 5}),
        ):
            answers = {self.call(method, f"/v1/keys/{key_id}{verb}", body).body
                       for key_id in (self.live["id"], self.other["id"], NO_KEY, "nonsense")}
            self.assertEqual(len(answers), 1, (verb, answers))
            self.assertEqual(self.call(method, f"/v1/keys/{self.live['id']}{verb}", body).status, 404)
        self.assertTrue(self.works(self.live["api_key"]), "and nothing was changed")
        self.assertTrue(self.works(self.other["api_key"]))

    def test_200_the_blast_radius_tells_sessions_networks_and_keys_that_it_made(self):
        made = self.make()
        child = self.make(key=made["api_key"])
        session = self.server.session(self.server.token(made["api_key"]))
        radius = lambda: self.call("GET", f"/v1/keys/{made['id']}/blast-radius").json()
        wait_until(lambda: radius()["live_session_count"] == 1 and radius()["calls"] > 0, "the radius")
        self.assertEqual(radius()["app_ids"], [self.server.app_id])
        self.assertEqual(radius()["keys_made"], [child["id"]])
        self.assertEqual(radius()["networks"][0]["address"], "127.0.0.1")
        session.websocket.wire.drop()

    # Rule usage-of-keys.
    def test_200_the_blast_radius_shows_the_network_that_a_key_was_refused_from(self):
        made = self.make(networks=["192.0.2.0/24"])
        self.refused(self.call("GET", "/v1/me", key=made["api_key"]), 403, "network")
        radius = lambda: self.call("GET", f"/v1/keys/{made['id']}/blast-radius").json()
        wait_until(lambda: radius()["calls"] > 0, "the radius")
        self.assertEqual([(one["address"], one["calls"]) for one in radius()["networks"]],
                         [("127.0.0.1", 1)])


class Changing(KeyCase):
    # Rule api-key-frozen.
    def test_200_a_frozen_key_is_refused_its_sessions_end_and_it_comes_back(self):
        made = self.make()
        session = self.server.session(self.server.token(made["api_key"]))
        unused = self.server.token(made["api_key"])
        frozen = self.changed(made, "freeze", {"reason": "seen on a screen"})
        self.assertEqual((frozen["state"], frozen["frozen_reason"]), ("frozen", "seen on a screen"))
        self.assertIsInstance(session.receive(), Error)
        self.assertEqual(session.websocket.wait_until_closed().code, 4010)
        self.assertFalse(self.works(made["api_key"]))
        self.assertFalse(self.server.is_admitted(unused))
        self.assertEqual(self.changed(made, "unfreeze")["state"], "good")
        self.assertTrue(self.works(made["api_key"]))
        self.assertTrue(self.server.is_admitted(unused))

    def test_409_a_revoked_key_is_neither_frozen_unfrozen_nor_rotated(self):
        made = self.make()
        self.assertEqual(self.changed(made, "revoke", {"reason": "superseded"})["state"], "revoked")
        for verb in ("freeze", "unfreeze", "rotate"):
            self.refused(self.call("POST", f"/v1/keys/{made['id']}/{verb}"), 409, "revoked")
        again = self.changed(made, "revoke", {"reason": "another"})
        self.assertEqual(again["revoked_reason"], "superseded")

    def test_400_a_reason_that_is_too_long_or_a_member_that_is_not_known(self):
        made = self.make()
        for verb in ("freeze", "revoke"):
            self.refused(self.call("POST", f"/v1/keys/{made['id']}/{verb}", {"reason": "x" * 201}), 400)
            self.refused(self.call("POST", f"/v1/keys/{made['id']}/{verb}", {"why": "x"}), 400, "why")
        self.refused(self.call("POST", f"/v1/keys/{made['id']}/unfreeze", {"reason": "x"}), 400)
        self.refused(self.call("POST", f"/v1/keys/{made['id']}/rotate", {"grace_seconds": -1}), 400)
        self.refused(self.call("POST", f"/v1/keys/{made['id']}/rotate", {"grace_seconds": 2592001}), 400)
        self.assertTrue(self.works(made["api_key"]))

    # Rule api-key-never-stronger.
    def test_403_a_weak_key_neither_rotates_nor_unfreezes_a_stronger_one(self):
        strong, weak = self.make(), self.make(scopes=["keys:write"])["api_key"]
        self.changed(strong, "freeze", key=weak)
        self.changed(strong, "unfreeze", key=weak, status=403)
        self.changed(strong, "unfreeze")
        self.changed(strong, "rotate", key=weak, status=403)
        self.assertTrue(self.works(strong["api_key"]))

    # Rule api-key-self-revoke.
    # Rule api-key-self-revoke.
    def test_200_a_finder_revokes_a_key_from_a_network_that_it_is_not_for(self):
        made = self.make(networks=["192.0.2.0/24"])
        bearer = {"Authorization": "Bearer " + made["api_key"]}
        body = {"key": made["api_key"]}
        reply = self.server.http("POST", "/v1/keys/revoke", bearer, body)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.json()["state"], "revoked")

    def test_200_a_key_revokes_itself_whatever_its_scopes(self):
        made = self.make(scopes=["tts:speak"])
        other = self.make()
        self.revocations = len(self.server.audited("api_key.revoke"))
        path, body = "/v1/keys/revoke", {"key": made["api_key"], "reason": "key_compromise"}
        self.refused(self.call("POST", path, body, other["api_key"]), 403)
        self.refused(self.call("POST", path, {"reason": "x"}, made["api_key"]), 400, "key")
        reply = self.call("POST", path, body, made["api_key"])
        self.assertEqual((reply.status, reply.json()["state"]), (200, "revoked"))
        self.assertEqual(reply.json()["revoked_reason"], "key_compromise")
        again = self.call("POST", path, {**body, "reason": "again"}, made["api_key"])
        self.assertEqual((again.status, again.json()["state"]), (200, "revoked"))
        self.assertIsNone(again.json()["revoked_reason"])
        self.assertEqual(len(self.server.audited("api_key.revoke")), self.revocations + 1)
        self.assertEqual(self.call("POST", path, body, NOBODYS_KEY).status, 401)

    # Rule api-key-self-revoke.
    def test_200_a_finder_revokes_a_frozen_and_an_expired_key_for_good(self):
        frozen, expired = self.make(networks=["192.0.2.0/24"]), self.make()
        self.changed(frozen, "freeze", {"reason": "for its owners"})
        self.changed(expired, "rotate", {"grace_seconds": 1}, 201)
        wait_until(lambda: not self.works(expired["api_key"]), "the key to expire")
        for made in (frozen, expired):
            reply = self.call("POST", "/v1/keys/revoke", {"key": made["api_key"]}, made["api_key"])
            self.assertEqual(reply.status, 200, reply.body)
            self.assertEqual(reply.json()["state"], "revoked")
            self.assertNotIn("for its owners", reply.body.decode())
        self.changed(frozen, "unfreeze", status=409)
        kept = self.call("GET", "/v1/keys/" + frozen["id"]).json()
        self.assertEqual(kept["frozen_reason"], "for its owners")


class Rotating(KeyCase):
    # Rule api-key-rotated-with-grace.
    def test_201_both_work_during_the_grace_and_the_old_one_names_its_successor(self):
        made = self.make(name="rotated")
        began = time.time()
        rotated = self.changed(made, "rotate", {"grace_seconds": 3600}, 201)
        self.assertEqual(rotated["old"]["replaced_by"], rotated["new"]["id"])
        self.assertTrue(is_ahead(rotated["old"]["expires_at"], 3600, began), rotated)
        self.assertEqual(rotated["new"]["name"], "rotated")
        self.assertTrue(self.works(made["api_key"]))
        self.assertTrue(self.works(rotated["new"]["api_key"]))
        self.changed(made, "rotate", {}, 409)

    # Rule api-key-rotated-with-grace.
    def test_201_without_a_grace_the_old_key_is_revoked_at_once(self):
        made = self.make()
        rotated = self.changed(made, "rotate", None, 201)
        self.assertEqual(rotated["old"]["state"], "revoked")
        self.assertFalse(self.works(made["api_key"]))
        self.assertTrue(self.works(rotated["new"]["api_key"]))


class RotatingAll(KeyCase):
    def test_201_rotates_every_key_of_the_environment_and_proves_that_none_is_left(self):
        keys = [self.make() for _ in range(3)]
        frozen = self.make()
        self.changed(frozen, "freeze")
        path = f"/v1/apps/{self.server.app_id}/rotate-keys"
        self.refused(self.call("POST", path, {"grace_seconds": -1}), 400)
        self.assertEqual(self.call("POST", f"/v1/apps/{self.other_app}/rotate-keys").body,
                         self.call("POST", "/v1/apps/app_none/rotate-keys").body)
        self.assertEqual(self.call("POST", f"/v1/apps/{self.other_app}/rotate-keys").status, 404)
        weak = self.make(scopes=["keys:write"])["api_key"]
        self.refused(self.call("POST", path, {}, weak), 403)
        reply = self.call("POST", path, {"grace_seconds": 0})
        self.assertEqual(reply.status, 201, reply.body)
        rotated = reply.json()
        self.assertEqual(rotated["left"], 0)
        old = {pair["old_id"] for pair in rotated["rotated"]}
        self.assertLessEqual({key["id"] for key in keys}, old)
        self.assertNotIn(frozen["id"], old)
        # Rule api-key-rotated-all.
        self.assertEqual(rotated["frozen"], [frozen["id"]])
        successor = next(made for made in rotated["new"] if "keys:write" in made["scopes"])
        unfreeze = f"/v1/keys/{frozen['id']}/unfreeze"
        self.refused(self.call("POST", unfreeze, key=successor["api_key"]), 409)
        for key in keys:
            self.assertFalse(self.works(key["api_key"]))
        self.assertEqual(len(rotated["new"]), len(old))
        for made in rotated["new"]:
            self.assertEqual(self.works(made["api_key"]), "keys:read" in made["scopes"])
        self.assertTrue(self.works(self.live["api_key"]), "live keys are another world")


class Importing(KeyCase):
    def item(self, text, **more):
        return {"name": "moved", "sha256": hashlib.sha256(text.encode()).hexdigest(), **more}

    # Rule api-key-imported-hashes.
    def test_201_a_key_of_another_system_works_by_its_own_text(self):
        digest = hashlib.sha256(b"acme_second").digest()
        reply = self.call("POST", "/v1/keys/import", {"keys": [
            self.item("acme_first", ends="acme_fi…", scopes=["keys:read"]),
            {"name": "moved", "sha256": base64.b64encode(digest).decode()},
        ]})
        self.assertEqual(reply.status, 201, reply.body)
        first = reply.json()["data"][0]
        self.assertEqual((first["ends"], first["imported"]), ("acme_fi…", True))
        self.assertTrue(self.works("acme_first"))
        self.assertTrue(self.works("acme_second"))
        self.assertFalse(self.works("acme_third"))
        self.assertFalse(self.works(digest.hex()))

    def test_400_the_key_at_fault_is_named_and_nothing_is_imported(self):
        for item, words in (({"name": "n", "sha256": "abc"}, "keys[1].sha256"),
                            (self.item("x", ends="e" * 33), "keys[1].ends"),
                            (self.item("x", scopes=["no:such"]), "no:such"), ("x", "keys[1]")):
            body = {"keys": [self.item("acme_never"), item]}
            self.refused(self.call("POST", "/v1/keys/import", body), 400, words)
        self.refused(self.call("POST", "/v1/keys/import", {"keys": []}), 400, "keys")
        self.assertFalse(self.works("acme_never"))

    def test_409_a_hash_that_is_here_already(self):
        self.assertEqual(self.call("POST", "/v1/keys/import", {"keys": [self.item("acme_a")]}).status, 201)
        body = {"keys": [self.item("acme_b"), self.item("acme_a")]}
        self.refused(self.call("POST", "/v1/keys/import", body), 409, "number 2")
        self.assertFalse(self.works("acme_b"))


class Verifying(KeyCase):
    def verify(self, body, key=None, status=200):
        reply = self.call("POST", "/v1/keys/verify", body, key)
        self.assertEqual(reply.status, status, reply.body)
        return reply.json()

    def reason(self, text, **more):
        return self.verify({"key": text, **more})["reason"]

    # Rule api-key-verify-explains.
    def test_200_valid_or_the_exact_reason(self):
        good = self.make(scopes=["tokens:mint"], networks=["192.0.2.0/24"], rate_limit="2/hour burst 2")
        answer = self.verify({"key": good["api_key"], "scopes": ["tokens:mint"], "network": "192.0.2.7"})
        self.assertEqual((answer["valid"], answer["reason"]), (True, "valid"))
        self.assertEqual((answer["id"], answer["app_id"]), (good["id"], self.server.app_id))
        self.assertEqual((answer["scopes"], answer["environment"]), (["tokens:mint"], "test"))
        self.assertEqual(answer["limit"]["remaining"], 1)
        self.assertEqual(self.reason(good["api_key"], network="198.51.100.1"), "network")
        self.assertEqual(self.reason(good["api_key"], scopes=["tts:speak"]), "missing_scope")
        for text, words in ((good["api_key"][:-1] + "!", "digits and letters"), ("", "empty"),
                            (good["api_key"][:-1], "45 characters"), (good["api_key"] + " ", "white space"),
                            ("\t" + good["api_key"], "white space"), ("acme key", "begins with")):
            answer = self.verify({"key": text})
            self.assertEqual((answer["valid"], answer["reason"]), (False, "malformed"), text)
            self.assertIn(words, answer["detail"])
        self.assertEqual(self.verify({"key": "acme_never"}), {"valid": False, "reason": "unknown"})
        swapped = good["api_key"][:10] + good["api_key"][11] + good["api_key"][10] + good["api_key"][12:]
        if swapped != good["api_key"]:
            self.assertEqual(self.reason(swapped), "mistyped")
        frozen, revoked = self.make(), self.make()
        self.changed(frozen, "freeze")
        self.changed(revoked, "revoke")
        self.assertEqual(self.reason(frozen["api_key"]), "frozen")
        self.assertEqual(self.reason(revoked["api_key"]), "revoked")

    # Rule api-key-verify-explains.
    def test_200_it_says_whether_the_keys_networks_were_looked_at_and_which_they_are(self):
        bound = self.make(networks=["192.0.2.0/24", "2001:db8::/32"])["api_key"]
        for network, verdict in ((None, "valid"), ("192.0.2.7", "valid"), ("198.51.100.1", "network")):
            body = {"key": bound} | ({"network": network} if network else {})
            answer = self.verify(body)
            self.assertEqual(answer["reason"], verdict)
            self.assertEqual(answer["networks"], ["192.0.2.0/24", "2001:db8::/32"])
            self.assertIs(answer["network_checked"], network is not None)
        free = self.verify({"key": self.make()["api_key"], "network": "192.0.2.7"})
        self.assertEqual((free["networks"], free["network_checked"]), ([], True))

    # Rule api-key-verify-explains.
    def test_200_a_key_over_its_own_limit_is_rate_limited(self):
        good = self.make(rate_limit="1/hour burst 2")
        reasons = [self.reason(good["api_key"]) for _ in range(3)]
        self.assertEqual(reasons, ["valid", "valid", "rate_limited"])

    # Rule api-key-verify-explains.
    def test_200_keys_of_others_are_unknown_like_those_that_do_not_exist(self):
        self.assertEqual(self.verify({"key": self.other["api_key"]}),
                         {"valid": False, "reason": "unknown"})
        self.assertEqual(self.verify({"key": self.live["api_key"]}),
                         {"valid": False, "reason": "wrong_environment"})

    def test_200_a_batch_is_answered_in_its_order(self):
        made = [self.make()["api_key"] for _ in range(3)]
        texts = [made[0], "nonsense", made[1], self.other["api_key"], made[2]] * 200
        answers = self.verify({"keys": texts})["data"]
        self.assertEqual([answer["valid"] for answer in answers], [True, False, True, False, True] * 200)

    def test_400_neither_nor_both_too_many_or_not_known(self):
        for body in ({}, {"key": "a", "keys": ["a"]}, {"keys": ["a"] * 1001}, {"key": 7},
                     {"key": "a", "scopes": ["no:such"]}, {"key": "a", "network": "here"}, {"k": "a"}):
            self.verify(body, status=400)

    def test_401_and_403(self):
        self.assertEqual(self.server.http("POST", "/v1/keys/verify", {}, {"key": "a"}).status, 401)
        minting = self.make(scopes=["tokens:mint"])["api_key"]
        self.verify({"key": minting}, key=minting, status=403)


class Limited(KeyCase):
    settings = '[limits]\napi_key_free = "1000/sec burst 1000"\nstranger = "1000/sec burst 1000"\n'

    # Rule api-key-never-stronger.
    def test_403_a_key_makes_none_with_a_higher_limit_than_its_own(self):
        slow = self.make(rate_limit="100/min burst 100")["api_key"]
        for more in ({"tier": "pro"}, {"rate_limit": "101/min burst 100"}, {"rate_limit": "unlimited"}):
            self.refused(self.call("POST", "/v1/keys", {"name": "k", **more}, slow), 403, "limit")
        self.assertEqual(self.make(slow)["rate_limit"], "100/min")

    def test_429_over_its_limit_every_endpoint_refuses_a_key(self):
        made = self.make(rate_limit="1/day burst 1")
        self.assertEqual(self.call("GET", "/v1/keys", key=made["api_key"]).status, 200)
        one = "/v1/keys/" + made["id"]
        for method, path in (
            ("GET", "/v1/keys"), ("POST", "/v1/keys"), ("POST", "/v1/keys/import"),
            ("POST", "/v1/keys/revoke"), ("POST", "/v1/keys/verify"), ("GET", one),
            ("POST", one + "/freeze"), ("POST", one + "/unfreeze"), ("POST", one + "/revoke"),
            ("POST", one + "/rotate"), ("GET", one + "/blast-radius"),
            ("POST", f"/v1/apps/{self.server.app_id}/rotate-keys"),
        ):
            reply = self.call(method, path, key=made["api_key"])
            self.refused(reply, 429)
            self.assertIn("Retry-After", reply.headers)


class Commands(KeyCase):
    def must(self, *words):
        app = ("--app", self.server.app_id) if words[0] == "create" else ()
        return json.loads(self.server.must("key", *words, *app, "--json"))

    def test_the_commands_make_freeze_rotate_and_show_what_the_server_then_holds_to(self):
        made = self.must("create", "--scope", "keys:read", "--scope", "tokens:mint", "--network",
                         "127.0.0.0/8", "--expires-in", "3600", "--tier", "pro")
        self.assertEqual(made["scopes"], ["tokens:mint", "keys:read"])
        wait_until(lambda: self.works(made["api_key"]), "the key")
        self.assertEqual(self.must("freeze", made["id"], "--reason", "why")["state"], "frozen")
        wait_until(lambda: not self.works(made["api_key"]), "the freeze")
        self.assertEqual(self.must("unfreeze", made["id"])["state"], "good")
        wait_until(lambda: self.works(made["api_key"]), "the unfreeze")
        successor = self.must("rotate", made["id"], "--grace", "60")
        wait_until(lambda: self.works(successor["api_key"]), "the successor")
        self.assertTrue(self.works(made["api_key"]))
        radius = self.must("blast-radius", made["id"])
        self.assertEqual(radius["app_ids"], [self.server.app_id])
        self.assertIn("never used", self.server.must("key", "list"))

    def test_an_import_of_a_file_is_all_or_nothing(self):
        path = self.server.data / "import.json"
        item = {"name": "n", "sha256": hashlib.sha256(b"acme_file").hexdigest()}
        path.write_text(json.dumps({"environment": "test", "app_id": self.server.app_id,
                                    "keys": [item]}))
        self.assertIn("1 keys", self.server.must("key", "import", str(path)))
        wait_until(lambda: self.works("acme_file"), "the import")
        self.assertEqual(self.server.command("key", "import", str(path)).returncode, 1)


if __name__ == "__main__":
    main()
