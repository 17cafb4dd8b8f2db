"""What happens to live faces in the world, in a real browser with the vendor's published client: a
socket that is taken over, a second offer with an ICE restart, a voice that the app brings itself, a
portrait. Screenshots go to build/screenshots/.

SPDX-License-Identifier: Apache-2.0
"""

import unittest

import browser_program
from cases import Stage, main

BROWSER_SECONDS = 120


class LiveFaceWays(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Stage() as server:
            cls.seen = browser_program.run(server, "live_face_ways_browser.mjs",
                                           str(browser_program.SCREENSHOTS), BROWSER_SECONDS)

    def test_a_portrait_of_another_character_moves(self):
        first, second = self.seen["looked"]
        self.assertEqual((first["width"], first["height"]), (768, 1152))
        self.assertGreater(first["moved"] + second["moved"], 0)

    def test_the_newest_socket_is_the_sessions_and_the_pictures_go_on(self):
        """Rule face-session-reattaches."""
        self.assertGreaterEqual(self.seen["sockets"], 3)
        self.assertGreater(self.seen["afterSocket"], 5)

    def test_a_second_offer_with_an_ice_restart_is_answered_and_the_pictures_go_on(self):
        self.assertNotEqual(self.seen["ice"]["before"], self.seen["ice"]["after"])
        self.assertGreater(self.seen["afterIce"], 5)

    def test_a_voice_that_the_app_brings_is_heard(self):
        self.assertGreaterEqual(self.seen["heard"], 0)

    def test_the_mouth_moves_with_a_voice_that_the_app_brings(self):
        rest, most = max(self.seen["silent"]), max(self.seen["speaking"])
        print(f"the mouth's box is open by {rest:.3f} at rest, by up to {most:.3f} while it speaks")
        self.assertGreater(most, rest + 0.02)

    def test_the_session_has_outlived_all_that(self):
        self.assertIsNone(self.seen["notes"]["closed"])


if __name__ == "__main__":
    main()
