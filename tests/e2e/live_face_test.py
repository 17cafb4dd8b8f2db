"""A live face in a real browser: the vendor's published client, unmodified, in headless Chromium
against the real server, once with a microphone and once without permission for one.

live_face_browser.mjs drives Chromium once and writes down what it saw and heard; the tests here
judge it. Screenshots go to build/screenshots/.

SPDX-License-Identifier: Apache-2.0
"""

import unittest

import browser_program
from cases import Stage, bearer, main

BROWSER_SECONDS = 200


class LiveFace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Stage() as server:
            cls.seen = browser_program.run(server, "live_face_browser.mjs",
                                           str(browser_program.SCREENSHOTS), BROWSER_SECONDS)
            cls.ends = [entry for entry in server.log_entries()
                        if entry["event"] == "session.ended"]
            cls.gone = server.http("GET", cls.seen["denied"]["left"]["path"],
                                   bearer(server.api_key)).status

    def loads(self):
        for microphone in ("granted", "denied"):
            with self.subTest(microphone=microphone):
                yield self.seen[microphone]

    def test_the_client_is_connected_ready_and_plays(self):
        for load in self.loads():
            for event in ("CONNECTION_ESTABLISHED", "SESSION_READY", "VIDEO_PLAY_STARTED"):
                self.assertIn(event, load["notes"]["events"])
            print("ms from the call:", load["notes"]["events"])

    def test_the_video_goes_on_and_its_pixels_move(self):
        for load in self.loads():
            first, second = load["looked"]
            self.assertEqual((first["width"], first["height"]), (720, 480))
            self.assertGreater(second["time"], first["time"])
            self.assertGreater(first["moved"] + second["moved"], 0)
            self.assertGreater(first["mean"], 10)
            self.assertLess(first["mean"], 245)

    def test_the_greeting_is_heard_and_read_though_the_page_has_said_nothing(self):
        granted = self.seen["granted"]
        self.assertGreaterEqual(granted["greeted"], 0)
        (message,) = granted["notes"]["messages"]
        self.assertEqual((message["role"], message.get("interrupted", False)), ("persona", False))
        self.assertGreater(len(message["content"]), 20)

    # Rule speech-onset.
    def test_the_beeps_of_the_browsers_own_fake_microphone_interrupt_nobody(self):
        self.assertNotIn("USER_SPEECH_STARTED", self.seen["granted"]["notes"]["events"])

    def test_a_users_voice_is_heard_understood_and_answered(self):
        voice = self.seen["voice"]
        for event in ("USER_SPEECH_STARTED", "USER_SPEECH_ENDED"):
            self.assertIn(event, voice["first"]["events"])
        asked, answer = voice["first"]["messages"][:2]
        self.assertEqual((asked["role"], answer["role"]), ("user", "persona"))
        self.assertIn("open", asked["content"].lower())
        self.assertIn("nine", answer["content"])
        self.assertGreaterEqual(voice["answered"], 0)

    # Rule interruption-stops-conversation.
    def test_a_users_voice_interrupts_the_persona(self):
        voice = self.seen["voice"]
        self.assertIsNotNone(voice["stopped"], "no voice was heard while it spoke")
        # Less than nothing where the voice came between two sentences.
        print("sound went on for", round(voice["stopped"]), "ms after the voice was told of")
        interrupted = [one for one in voice["notes"]["messages"] if one.get("interrupted")]
        self.assertEqual([one["role"] for one in interrupted], ["persona"])

    def test_a_page_without_permission_for_a_microphone_is_told_and_plays(self):
        self.assertIn("MIC_PERMISSION_DENIED", self.seen["denied"]["notes"]["events"])
        self.assertNotIn("MIC_PERMISSION_DENIED", self.seen["granted"]["notes"]["events"])

    def test_words_that_the_page_asks_for_are_heard(self):
        self.assertGreaterEqual(self.seen["denied"]["talked"], 0)
        print("talk() to sound:", self.seen["denied"]["talked"], "ms")

    def test_a_session_ended_by_the_api_ends_in_the_page(self):
        granted = self.seen["granted"]
        self.assertEqual(granted["endStatus"], 202)
        code, reason = granted["notes"]["closed"]["why"][:2]
        self.assertEqual(code, "CONNECTION_CLOSED_CODE_SERVER_CLOSED_CONNECTION")
        self.assertIn("ended by its app", reason)
        self.assertEqual(self.ends[0]["reason"], "ended")

    # Rule face-session-abandoned.
    def test_a_tab_that_is_gone_gives_its_place_back_within_10_s(self):
        self.assertEqual(self.gone, 404)
        self.assertEqual(self.ends[1]["ended_by"], "client")
        print("noticed after", self.seen["denied"]["left"]["ms"], "ms")
        self.assertLess(self.seen["denied"]["left"]["ms"], 10_000)

    def test_what_the_built_in_face_cannot_do_is_told_once_each(self):
        self.assertEqual(self.seen["granted"]["notes"]["warnings"], [])
        told = self.seen["denied"]["notes"]["warnings"]
        self.assertEqual(len(told), 3, told)
        for words in ("director notes", "speechEnhancementLevel", "cues"):
            self.assertEqual(sum(words in one for one in told), 1, told)


if __name__ == "__main__":
    main()
