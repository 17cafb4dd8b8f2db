"""The page at `/`, in a real browser, against the real server: each test states what people get.

page_browser.mjs drives Chromium once and writes down what it saw; the tests here judge it.
Screenshots go to build/screenshots/.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import math
import pathlib
import subprocess
import tempfile
import unittest
import wave

import node_packages
from harness import Server

HERE = pathlib.Path(__file__).resolve().parent
SCREENSHOTS = HERE.parent.parent / "build" / "screenshots"
FRAMES_PER_SECOND = 25
BROWSER_SECONDS = 270

FIRST = "Papa may move. My mother bought five big blue balloons, and we all saw them fly away."
SAMPLE = "This is what the page says when nobody has another sound."
SECOND = "A second sound, on the same session."


def make_speech(path, voice, words):
    subprocess.run(["flite", "-voice", voice, "-t", words, "-o", str(path)], check=True, timeout=60)


def frames_of(path):
    with wave.open(str(path)) as sound:
        return math.floor(sound.getnframes() * FRAMES_PER_SECOND / sound.getframerate())


def share_beside(utterance, frames_late=0):
    """The share of drawings whose jaw lies outside the frames around that moment of the sound."""
    jaws, beside = utterance["jaws"], 0
    for drawing in utterance["drawn"]:
        place = math.floor(drawing["seconds"] * FRAMES_PER_SECOND) + frames_late
        near = [jaws[max(0, min(len(jaws) - 1, at))] for at in range(place - 1, place + 3)]
        if not min(near) - 1e-4 <= drawing["jawOpen"] <= max(near) + 1e-4:
            beside += 1
    return beside / len(utterance["drawn"])


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        node_packages.install()
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(Server()) as server:
            server.init()
            make_speech(server.data / "sample.wav", "slt", SAMPLE)
            server.start()
            cls.first = pathlib.Path(folder) / "first.wav"
            cls.second = pathlib.Path(folder) / "second.wav"
            make_speech(cls.first, "slt", FIRST)
            make_speech(cls.second, "kal", SECOND)
            cls.first_frames, cls.second_frames = frames_of(cls.first), frames_of(cls.second)
            cls.page = server.http("GET", "/")
            cls.session = server.http("POST", "/door/session", {"Origin": server.address})
            elsewhere = {"Origin": "http://elsewhere.example"}
            cls.foreign = server.http("POST", "/door/session", elsewhere)
            sounds = [cls.first, cls.second]
            command = ["node", "page_browser.mjs", server.address, *sounds, SCREENSHOTS]
            done = subprocess.run(
                list(map(str, command)), cwd=HERE, stdout=subprocess.PIPE, text=True,
                timeout=BROWSER_SECONDS)
            cls.log = server.log()
        if done.returncode != 0:
            words = f"page_browser.mjs ended with {done.returncode}; the server said:\n{cls.log}"
            raise AssertionError(words)
        cls.seen = json.loads(done.stdout)
        cls.two = cls.seen["twoSounds"]

    def test_the_page_comes_from_the_binary_with_nothing_from_elsewhere(self):
        self.assertEqual(self.page.status, 200)
        self.assertIn("text/html", self.page.headers["Content-Type"])
        self.assertNotIn(b"//", self.page.body.replace(b"</", b""))

    def test_a_page_session_names_app_avatar_token_and_rate(self):
        self.assertEqual(self.session.status, 200)
        ticket = self.session.json()
        for name in ("appId", "avatarId", "sessionToken"):
            self.assertTrue(ticket[name], name)
        self.assertEqual(ticket["sampleRate"], 16000)

    # Rule page-mints-for-its-own.
    def test_another_site_gets_no_page_session(self):
        self.assertEqual(self.foreign.status, 403)
        self.assertNotIn(b"sessionToken", self.foreign.body)

    def test_every_sound_gives_floor_of_duration_times_25_frames(self):
        for utterance, frames in ((self.two["first"], self.first_frames),
                                  (self.two["second"], self.second_frames)):
            self.assertEqual(len(utterance["jaws"]), frames)
            self.assertEqual(utterance["frames"], frames)

    def test_the_mouth_opens_while_speaking_and_rests_before_and_after(self):
        at_rest = max(self.two["mouthBefore"])
        speaking = self.two["first"]["mouthSpeaking"]
        self.assertLess(at_rest, 0.02)
        self.assertGreater(max(speaking), at_rest + 0.03)
        self.assertLess(max(self.two["mouthAfter"]), 0.02)
        # It opens and closes, many times over, rather than standing open.
        middle = (max(speaking) + min(speaking)) / 2
        crossings = sum((a < middle) != (b < middle) for a, b in zip(speaking, speaking[1:]))
        self.assertGreaterEqual(crossings, 6)

    def test_the_drawn_jaw_belongs_to_the_sound_that_is_heard_within_one_frame(self):
        for utterance in (self.two["first"], self.two["second"], self.seen["sample"]["sample"]):
            self.assertGreater(len(utterance["drawn"]), 10)
            self.assertEqual(share_beside(utterance), 0)
        # The measure itself would notice a face that is late by a fifth of a second.
        self.assertGreater(share_beside(self.two["first"], frames_late=5), 0.2)

    def test_the_face_is_drawn_in_the_order_of_the_sound_from_its_beginning_to_its_end(self):
        for utterance in (self.two["first"], self.two["second"]):
            seconds = [drawing["seconds"] for drawing in utterance["drawn"]]
            self.assertEqual(seconds, sorted(seconds))
            self.assertLess(seconds[0], 0.5)
            self.assertGreater(seconds[-1], utterance["soundSeconds"] - 0.5)

    def test_sound_and_face_end_together(self):
        for utterance in (self.two["first"], self.two["second"]):
            ends = utterance["ends"]
            # Within one drawing of each other; on a busy machine a drawing may take its time.
            self.assertAlmostEqual(ends["sound"], utterance["soundSeconds"], delta=0.5)
            self.assertAlmostEqual(ends["face"], ends["sound"], delta=0.5)

    def test_two_sounds_share_one_session_and_have_two_request_ids(self):
        self.assertEqual(self.two["sockets"], 1)
        self.assertEqual(self.two["tokenCount"], 1)
        first, second = (set(self.two[name]["requests"]) for name in ("first", "second"))
        self.assertEqual((len(first), len(second)), (1, 1))
        self.assertNotEqual(first, second)

    def test_the_token_is_nowhere_on_the_page_and_not_in_the_log(self):
        self.assertFalse(self.two["tokenSeen"])
        self.assertNotIn(self.session.json()["sessionToken"], self.log)

    def test_the_steps_say_what_happened(self):
        steps = " ".join(self.two["steps"])
        for words in (self.session.json()["appId"], self.session.json()["avatarId"], "single use",
                      f"{self.first_frames} frames", f"{self.second_frames} frames"):
            self.assertIn(words, steps)

    def test_the_browser_has_nothing_to_complain_of(self):
        for name in ("twoSounds", "sample", "recording"):
            self.assertEqual(self.seen[name]["consoleErrors"], [])

    def test_the_sample_speaks_on_a_narrow_dark_screen_that_needs_no_sideways_scrolling(self):
        self.assertGreater(len(self.seen["sample"]["sample"]["jaws"]), 0)
        self.assertFalse(self.seen["sample"]["overflows"])

    def test_a_recording_from_the_microphone_is_spoken(self):
        recording = self.seen["recording"]
        self.assertGreater(recording["soundSeconds"], 0.5)
        self.assertEqual(recording["frames"], len(recording["jaws"]))
        self.assertGreater(recording["frames"], 0)

    def test_the_keyboard_reaches_every_control_and_is_enough(self):
        for control in ("sample", "pick", "record", "SUMMARY"):
            self.assertIn(control, self.seen["keyboard"]["reached"])

    def test_a_refused_token_is_told_in_words_and_trying_again_works(self):
        refused = self.seen["refused"]
        self.assertEqual(refused["state"], "problem")
        self.assertIn("did not open the session", refused["words"])
        self.assertEqual(len(refused["after"]["jaws"]), self.second_frames)
        self.assertTrue(refused["problemGone"])

    def test_after_a_closed_socket_the_next_sound_gets_a_new_token_and_a_new_socket(self):
        closed = self.seen["closed"]
        self.assertEqual((closed["opened"], closed["tokenCount"]), (2, 2))
        self.assertEqual(len(closed["after"]["jaws"]), self.second_frames)
        self.assertIn("away for a moment", " ".join(closed["steps"]))

    def test_the_wire_module_and_the_face_sheet_keep_their_own_promises(self):
        command = ["node", "--test", "motion_wire.test.mjs", "face_sheet.test.mjs"]
        done = subprocess.run(command, cwd=HERE, timeout=60, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_stop_stops_at_once_and_the_session_stays_good(self):
        stopped = self.seen["stopped"]
        self.assertEqual((stopped["state"], stopped["spoken"]), ("connected", 0))
        self.assertEqual((stopped["frames"], stopped["sockets"]), (self.second_frames, 1))

    def test_every_failure_is_told_in_words_of_its_own(self):
        failures = self.seen["failures"]
        self.assertIn("cannot decode", failures["notASound"])
        self.assertIn("does not answer", failures["away"])
        self.assertIn("as many sessions as it may have", failures["full"])
        self.assertIn("maximum session duration (code 4002)", failures["ended"])


if __name__ == "__main__":
    unittest.main()
