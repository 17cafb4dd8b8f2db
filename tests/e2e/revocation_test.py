"""An operator cuts off a key, and everything that rests on it ends.

SPDX-License-Identifier: Apache-2.0
"""

import json
import time
import unittest

from cases import Stage, main, wait_until
from motion_messages import Error
from raw_websocket import Refusal


class Revocation(unittest.TestCase):
    def setUp(self):
        self.server = Stage().__enter__()
        self.addCleanup(self.server.close)

    def new_key(self):
        made = json.loads(self.server.must("key", "create", "--name", "second", "--json"))
        # The running server learns of it from the store.
        wait_until(lambda: self.server.mint(made["api_key"]).status == 200, "the new key to work")
        return made

    # Rule api-key-revoked-with-all-it-opened.
    def test_live_sessions_of_a_revoked_key_are_closed_and_those_of_others_go_on(self):
        stolen = self.new_key()
        thief = [self.server.session(self.server.token(stolen["api_key"])) for _ in range(20)]
        owner = self.server.session()
        unused = self.server.token(stolen["api_key"])
        self.server.must("key", "revoke", stolen["id"], "--reason", "stolen")
        for session in thief:
            said = session.receive()
            self.assertIsInstance(said, Error)
            self.assertIn("revoked", said.text)
            self.assertEqual(session.websocket.wait_until_closed().code, 4010)
        self.assertTrue(owner.still_serves())
        owner.websocket.wire.drop()
        refusal = self.server.knock(unused)
        self.assertIsInstance(refusal, Refusal)
        self.assertEqual(refusal.status, 400)
        self.assertEqual(self.server.wait_for_log("api_key.revoked")["live_sessions_ended"], 20)

    # Rule api-key-revoked-with-all-it-opened.
    def test_a_revocation_outlives_kill_9(self):
        stolen = self.new_key()
        unused = self.server.token(stolen["api_key"])
        self.server.must("key", "revoke", stolen["id"])
        wait_until(lambda: self.server.mint(stolen["api_key"]).status == 401, "the key to be refused")
        self.server.restart(9)
        self.assertEqual(self.server.mint(stolen["api_key"]).status, 401)
        self.assertFalse(self.server.is_admitted(unused))
        self.assertTrue(self.server.is_admitted(self.server.token()))

    def test_the_close_reaches_a_session_soon_after_the_revocation(self):
        """The time is printed, not judged."""
        stolen = self.new_key()
        session = self.server.session(self.server.token(stolen["api_key"]))
        self.server.must("key", "revoke", stolen["id"])
        done = time.monotonic()
        self.assertIsInstance(session.receive(), Error)
        session.websocket.wire.drop()
        print(f"the client heard {1000 * (time.monotonic() - done):.0f} ms after the command had ended")


if __name__ == "__main__":
    main()
