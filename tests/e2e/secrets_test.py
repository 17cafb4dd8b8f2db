"""The server secret, token algorithms and other regions, against the real binary.

SPDX-License-Identifier: Apache-2.0
"""

import json
import shutil
import unittest

from cases import Stage, main, wait_until
from forging import opened, segment, signed

INVALID = (400, "Invalid session token")


class Rotation(unittest.TestCase):
    def setUp(self):
        self.server = Stage().__enter__()
        self.addCleanup(self.server.close)

    def rotate(self):
        self.server.must("secret", "rotate")
        self.assertEqual(self.server.halt(), 0)
        self.server.start()

    def test_tokens_and_keys_from_before_a_rotation_still_work_and_used_keys_after_a_second(self):
        server = self.server
        unused = json.loads(server.must("key", "create", "--json"))["api_key"]
        old = [server.token() for _ in range(2)]
        self.rotate()
        self.assertTrue(server.is_admitted(old[0]))
        self.assertFalse(server.is_admitted(old[0]))
        between = server.token()  # The old key works, and moves to the new secret.
        self.assertNotEqual(between.split(".")[0], old[0].split(".")[0])
        self.rotate()
        self.assertTrue(server.is_admitted(between))
        self.assertTrue(server.is_admitted(server.token()))
        # What only the secret of two rotations ago has made is over.
        self.assertEqual(server.knock(old[1]).status, INVALID[0])
        self.assertEqual(server.mint(unused).status, 401)

    def test_a_key_that_has_moved_to_the_new_secret_can_be_revoked(self):
        server = self.server
        made = json.loads(server.must("key", "create", "--json"))
        self.rotate()
        self.assertEqual(server.mint(made["api_key"]).status, 200)
        server.must("key", "revoke", made["id"])
        wait_until(lambda: server.mint(made["api_key"]).status == 401, "the revocation")

    def test_a_key_that_another_process_has_moved_to_the_new_secret_can_be_revoked(self):
        server = self.server
        made = json.loads(server.must("key", "create", "--json"))
        self.rotate()
        server.must("token", "mint", "--key-file", server.key_file(made["api_key"]))
        server.must("key", "revoke", made["id"])
        # The running server has the key under its old hash and learns of the new one only now.
        other = json.loads(server.must("key", "create", "--json"))["api_key"]
        wait_until(lambda: server.mint(other).status == 200, "the server to have read the changes")
        self.assertEqual(server.mint(made["api_key"]).status, 401)


class Algorithms(unittest.TestCase):
    def test_tokens_of_either_algorithm_are_valid_whichever_is_signed_with_now(self):
        server = Stage()
        server.init()
        self.addCleanup(server.close)
        server.start()
        hs256 = [server.token() for _ in range(2)]
        server.settings = '[tokens]\nalgorithm = "EdDSA"\n'
        server.restart()
        eddsa = [server.token() for _ in range(2)]
        algorithms = [
            json.loads(opened(token.split(".")[0]))["alg"] for token in (hs256[0], eddsa[0])
        ]
        self.assertEqual(algorithms, ["HS256", "EdDSA"])
        self.assertTrue(server.is_admitted(hs256[0]))
        self.assertTrue(server.is_admitted(eddsa[0]))
        self.check_that_an_eddsa_token_is_not_believed_otherwise(server, eddsa[1])
        server.settings = '[tokens]\nalgorithm = "HS256"\n'
        server.restart()
        self.assertEqual(
            [server.is_admitted(token) for token in hs256 + eddsa], [False, True, False, True]
        )

    def check_that_an_eddsa_token_is_not_believed_otherwise(self, server, token):
        header, payload, signature = token.split(".")
        at = len(header) + 5
        for wrong in (
            token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :],
            f"{header}.{payload}.",
            f"{header}.{payload}.{segment(bytes(64))}",
            f"{header}.{payload}.{segment(opened(signature)[:32] + bytes(32))}",
            signed(header, payload, b"x" * 32),
        ):
            self.assertEqual(server.knock(wrong).body, b'{"message":"Invalid session token"}\n')


class Regions(unittest.TestCase):
    """Two servers with the same catalog and different server secrets."""

    def setUp(self):
        self.here, self.there = Stage(), Stage()
        for server in (self.here, self.there):
            server.init()
            self.addCleanup(server.close)
        for file in self.there.data.glob("stagedoor.db*"):
            file.unlink()
        self.here.must("backup", str(self.there.data / "stagedoor.db"))
        # The log in the backup goes on there, so its key goes along.
        shutil.copy2(self.here.data / "audit-key", self.there.data / "audit-key")
        self.there.initialised = self.here.initialised
        self.token_key = self.there.data / "token-key-of-here"
        self.here.must("secret", "token-key", str(self.token_key))
        self.here.start()

    def test_without_its_token_key_another_regions_token_is_invalid(self):
        self.there.start()
        self.assertEqual(
            self.there.knock(self.here.token()).body, b'{"message":"Invalid session token"}\n'
        )

    def test_with_its_token_key_another_regions_token_is_admitted_once_also_if_signed_with_eddsa(
        self,
    ):
        self.there.settings = f'[secrets]\ntrusted_token_key_files = ["{self.token_key}"]\n'
        self.there.start()
        token = self.here.token()
        self.assertEqual([self.there.is_admitted(token) for _ in range(2)], [True, False])
        self.here.settings = '[tokens]\nalgorithm = "EdDSA"\n'
        self.here.restart()
        self.assertTrue(self.there.is_admitted(self.here.token()))

    def test_trust_does_not_go_the_other_way_and_does_not_cover_api_keys(self):
        self.there.settings = f'[secrets]\ntrusted_token_key_files = ["{self.token_key}"]\n'
        self.there.start()
        self.assertEqual(self.there.mint().status, 401)
        made = json.loads(self.there.must("key", "create", "--json"))["api_key"]
        wait_until(lambda: self.there.mint(made).status == 200, "the new key to be known")
        self.assertEqual(self.here.knock(self.there.token(made)).status, 400)

    def test_a_token_key_that_others_can_read_stops_the_start(self):
        self.token_key.chmod(0o640)
        self.there.settings = f'[secrets]\ntrusted_token_key_files = ["{self.token_key}"]\n'
        with self.assertRaisesRegex(RuntimeError, "chmod 600"):
            self.there.start()
        self.there.process = None


if __name__ == "__main__":
    main()
