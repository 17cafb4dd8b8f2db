"""Live sessions against the real binary: sound in, faces out, exactly as the contract has it.

SPDX-License-Identifier: Apache-2.0
"""

import array
import math
import pathlib
import unittest
import wave

import motion_messages as messages
import ogg_opus
from cases import FRAMES_PER_SECOND, MotionClient, Stage, main, silence
from motion_messages import Animation, Confirmation, Error

PCM_RATES_HZ = (8000, 16000, 22050, 24000, 32000, 44100, 48000)
OPUS_RATES_HZ = (8000, 12000, 16000, 24000, 48000)
FACES_IN_MESSAGE_MAX = 100
SPEECH = pathlib.Path("/usr/share/sounds/alsa/Front_Center.wav")
SIZES = {
    "translation": 3,
    "rotation": 3,
    "neck_pose": 3,
    "jaw_pose": 3,
    "eye_pose": 6,
    "eye_lid": 2,
    "expression": 100,
}


def buzz(samples, rate_hz):
    """A voice-like sound that swells and fades: a saw tooth at 120 Hz, four syllables a second."""
    return array.array(
        "h",
        (
            round(
                12000 * ((i * 120 / rate_hz) % 1 - 0.5) * (1 - math.cos(8 * math.pi * i / rate_hz))
            )
            for i in range(samples)
        ),
    ).tobytes()


def wire_of(faces):
    return [face.wire for face in faces]


def recorded_speech():
    with wave.open(str(SPEECH)) as sound:
        if sound.getnchannels() != 1 or sound.getsampwidth() != 2:
            raise unittest.SkipTest(f"{SPEECH} is not mono with 16 bits")
        return sound.getframerate(), sound.readframes(sound.getnframes())


class MotionCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Stage().__enter__()
        cls.addClassCleanup(cls.server.close)

    def session(self, **how) -> MotionClient:
        session = self.server.session(**how)
        self.addCleanup(session.websocket.wire.drop)
        return session

    def assert_nothing_waits(self, session):
        """What comes next is what is asked for next, so nothing was under way."""
        marker = "marker"
        session.say(marker, b"")
        answer = session.receive()
        self.assertEqual((answer.req_id, answer.end, answer.faces), (marker, True, []))


class Handshake(MotionCase):
    def test_a_configuration_is_confirmed_once_with_a_connection_id_of_the_known_form(self):
        session = self.session()
        self.assertRegex(session.connection_id, r"^20\d{12}_[0-9A-Za-z]{12}$")
        self.assert_nothing_waits(session)

    def test_two_sessions_have_two_connection_ids(self):
        self.assertEqual(len({self.session().connection_id for _ in range(10)}), 10)

    def test_a_configuration_without_a_rate_means_16_kHz(self):
        session = self.session(rate_hz=0)
        self.assertEqual(len(session.perform("a", silence(2, 16000))), 50)

    def test_a_bitrate_beside_pcm_and_unknown_parameters_and_fields_do_no_harm(self):
        session = self.session(configured=False)
        configure = messages.configure(bitrate=32000, extra={"vendor.unknown": "x" * 500})
        session.send(
            configure + messages.bytes_field(999, "unknown") + messages.number_field(77, 5)
        )
        self.assertIsInstance(session.receive(), Confirmation)
        audio = messages.audio("a", silence(1), True)
        trace = messages.bytes_field(
            4, messages.bytes_field(1, "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
        )
        body = (
            messages.bytes_field(1, "a")
            + messages.number_field(2, 1)
            + messages.bytes_field(3, silence(1))
            + trace
        )
        session.send(messages.message(messages.AUDIO_INPUT, 4, body))
        self.assertEqual(len(session.faces_until_end("a")), 25)
        session.send(audio + messages.bytes_field(4000, b"later"))
        self.assertEqual(len(session.faces_until_end("a")), 25)

    def test_the_type_number_may_be_missing_where_the_content_says_it(self):
        session = self.session(configured=False)
        session.send(messages.message(0, 2, messages.number_field(1, 16000)))
        self.assertIsInstance(session.receive(), Confirmation)


class FrameCount(MotionCase):
    def test_every_pcm_rate_gives_floor_of_duration_times_25_faces(self):
        for rate_hz in PCM_RATES_HZ:
            session = self.session(rate_hz=rate_hz)
            frame = rate_hz // FRAMES_PER_SECOND
            for samples in (
                1,
                frame - 1,
                frame,
                frame + 1,
                rate_hz // 5,
                rate_hz - 1,
                rate_hz,
                3 * rate_hz + 123,
                int(2.53 * rate_hz),
            ):
                with self.subTest(rate_hz=rate_hz, samples=samples):
                    faces = session.perform(f"{samples}", bytes(2 * samples))
                    self.assertEqual(len(faces), samples * FRAMES_PER_SECOND // rate_hz)

    def test_end_is_set_once_and_on_the_last_message_which_carries_faces(self):
        session = self.session()
        session.say("a", buzz(5 * 16000, 16000), chunk_bytes=3200)
        got = session.messages_until_end("a")
        self.assertTrue(all(isinstance(one, Animation) for one in got))
        self.assertEqual([one.end for one in got], [False] * (len(got) - 1) + [True])
        self.assertEqual({one.req_id for one in got}, {"a"})
        self.assertEqual({one.connection_id for one in got}, {session.connection_id})
        self.assertEqual(sum(len(one.faces) for one in got), 125)
        self.assert_nothing_waits(session)

    def test_no_message_has_more_than_100_faces_however_much_sound_comes_at_once(self):
        session = self.session(rate_hz=48000)
        session.say("a", bytes(2 * 48000 * 40))  # 3.8 MB in one message
        got = session.messages_until_end("a")
        self.assertEqual(sum(len(one.faces) for one in got), 1000)
        self.assertLessEqual(max(len(one.faces) for one in got), FACES_IN_MESSAGE_MAX)

    def test_faces_come_while_the_sound_still_goes_on(self):
        session = self.session()
        session.say("a", silence(1), chunk_bytes=640, end=False)
        count = 0
        while count < 20:  # all but the last 200 ms
            answer = session.receive()
            self.assertFalse(answer.end)
            count += len(answer.faces)
        session.say("a", b"")
        self.assertEqual(count + len(session.faces_until_end("a")), 25)

    def test_an_end_without_any_sound_is_answered_by_an_end_without_faces(self):
        session = self.session()
        self.assertEqual(session.perform("a", b""), [])
        session.say("b", b"", end=False)
        self.assertEqual(session.perform("b", b""), [])
        self.assertTrue(session.still_serves())

    def test_the_end_may_come_alone_after_the_sound(self):
        session = self.session()
        session.say("a", silence(1), end=False)
        session.say("a", b"")
        self.assertEqual(len(session.faces_until_end("a")), 25)

    def test_half_a_sample_at_the_end_is_told_and_the_utterance_still_ends(self):
        session = self.session()
        session.say("a", silence(1) + b"\0")
        got = session.messages_until_end("a")
        errors = [one for one in got if isinstance(one, Error)]
        self.assertEqual([(one.req_id, one.code) for one in errors], [("a", 3)])
        self.assertIn("odd number of bytes", errors[0].text)
        self.assertEqual(sum(len(one.faces) for one in got if isinstance(one, Animation)), 25)
        self.assertTrue(session.still_serves())


class Chunks(MotionCase):
    def test_the_faces_do_not_depend_on_how_the_sound_is_cut(self):
        for rate_hz in (16000, 44100):
            session = self.session(rate_hz=rate_hz)
            sound = buzz(int(1.37 * rate_hz), rate_hz)
            whole = wire_of(session.perform("a", sound))
            self.assertEqual(len(whole), 34)
            for chunk_bytes in (37, 640, 3201, 10_000, 65_536):
                self.assertEqual(
                    wire_of(session.perform("a", sound, chunk_bytes)), whole, chunk_bytes
                )

    def test_a_sample_may_be_cut_by_the_border_of_two_messages_also_one_byte_at_a_time(self):
        session = self.session()
        sound = buzz(1600, 16000)
        self.assertEqual(
            wire_of(session.perform("a", sound, 1)), wire_of(session.perform("a", sound))
        )

    def test_fragments_of_a_websocket_message_are_put_together(self):
        session = self.session()
        sound = buzz(16000, 16000)
        whole = wire_of(session.perform("a", sound))
        data = messages.audio("a", sound, True)
        pieces = [data[at : at + 999] for at in range(0, len(data), 999)]
        for index, piece in enumerate(pieces):
            session.websocket.send(0 if index else 2, piece, final=index == len(pieces) - 1)
            session.websocket.send(9, b"between")
        self.assertEqual(wire_of(session.faces_until_end("a")), whole)

    def test_another_session_gives_the_same_faces_for_the_same_sound_and_seed(self):
        sound = buzz(16000, 16000)
        seeded = [
            wire_of(self.session(extra={"stagedoor.seed": seed}).perform(req_id, sound))
            for seed, req_id in (("7", "a"), ("7", "b"), ("8", "a"))
        ]
        self.assertEqual(seeded[0], seeded[1])
        self.assertNotEqual(seeded[0], seeded[2])


class Utterances(MotionCase):
    def test_sixty_utterances_follow_each_other_on_one_connection(self):
        session = self.session()
        for index in range(60):
            self.assertEqual(len(session.perform(f"r{index}", silence(0.4))), 10)
        self.assert_nothing_waits(session)

    def test_a_req_id_may_be_used_again_after_its_end_and_starts_anew(self):
        session = self.session()
        sound = buzz(16000, 16000)
        self.assertEqual(*(wire_of(session.perform("again", sound)) for _ in range(2)))

    def test_req_ids_are_opaque(self):
        session = self.session()
        for req_id in (
            "x",
            "é" * 64,
            "a" * 128,
            "{}",
            "\u0000",
            " ",
            "20260101000000_abcdefghijkl",
        ):
            self.assertEqual(len(session.perform(req_id, silence(0.2))), 5)

    def test_a_missing_or_too_long_req_id_is_told_and_nothing_begins(self):
        session = self.session()
        for req_id in ("", "x" * 129):
            session.say(req_id, silence(1))
            answer = session.receive()
            self.assertIsInstance(answer, Error)
            self.assertIn("req_id", answer.text)
        self.assert_nothing_waits(session)

    # Rule motion-server-utterances-are-independent.
    def test_four_utterances_overlap_and_each_gets_the_faces_that_it_gets_alone(self):
        session = self.session()
        sounds = {f"r{index}": buzz(16000 + 4000 * index, 16000) for index in range(4)}
        alone = {
            req_id: wire_of(session.perform(req_id, sound)) for req_id, sound in sounds.items()
        }
        together = {req_id: [] for req_id in sounds}
        longest = max(map(len, sounds.values()))
        for at in range(0, longest, 3200):
            for req_id, sound in sounds.items():
                if at < len(sound):
                    session.say(req_id, sound[at : at + 3200], end=at + 3200 >= len(sound))
        ended = []
        while len(ended) < 4:
            answer = session.receive()
            self.assertIsInstance(answer, Animation)
            self.assertNotIn(answer.req_id, ended)
            together[answer.req_id] += wire_of(answer.faces)
            if answer.end:
                ended.append(answer.req_id)
        self.assertEqual(together, alone)

    def test_a_fifth_open_utterance_is_refused_and_the_four_go_on(self):
        session = self.session()
        for index in range(4):
            session.say(f"r{index}", silence(0.1), end=False)
        session.say("fifth", silence(1))
        answer = session.receive()
        self.assertEqual((type(answer), answer.req_id, answer.code), (Error, "fifth", 3))
        self.assertIn("too many open requests", answer.text)
        for index in range(4):
            session.say(f"r{index}", silence(0.9))
            self.assertEqual(len(session.faces_until_end(f"r{index}")), 25)
        self.assertEqual(len(session.perform("fifth", silence(1))), 25)


class Interrupt(MotionCase):
    def test_an_open_utterance_ends_at_once_with_one_end_and_what_still_comes_for_it_is_passed_over(
        self,
    ):
        session = self.session()
        session.say("a", silence(0.1), end=False)  # too short for a face
        session.send(messages.interrupt("a"))
        answer = session.receive()
        self.assertEqual((answer.req_id, answer.end, answer.faces), ("a", True, []))
        session.say("a", silence(3), chunk_bytes=3200)
        self.assert_nothing_waits(session)
        self.assertEqual(len(session.perform("a", silence(1))), 25)

    def test_an_utterance_that_has_given_faces_ends_with_an_end_that_has_none(self):
        session = self.session()
        session.say("a", silence(2), end=False)
        session.send(messages.interrupt("a"))
        got = session.messages_until_end("a")
        self.assertEqual(got[-1].faces, [])
        self.assertLessEqual(sum(len(one.faces) for one in got), 50)
        self.assert_nothing_waits(session)

    def test_an_interrupt_of_an_ended_or_unknown_utterance_changes_nothing(self):
        session = self.session()
        session.perform("a", silence(1))
        for req_id in ("a", "never", "", "x" * 1000):
            session.send(messages.interrupt(req_id))
        self.assert_nothing_waits(session)
        self.assertEqual(len(session.perform("a", silence(1))), 25)

    def test_an_interrupt_of_one_leaves_the_others(self):
        session = self.session()
        session.say("a", silence(0.1), end=False)
        session.say("b", silence(0.1), end=False)
        session.send(messages.interrupt("a"))
        self.assertEqual(session.faces_until_end("a"), [])
        session.say("b", silence(0.9))
        self.assertEqual(len(session.faces_until_end("b")), 25)

    def test_after_twenty_interrupts_the_session_still_serves(self):
        session = self.session()
        for index in range(20):
            session.say(f"r{index}", silence(0.1), end=False)
            session.send(messages.interrupt(f"r{index}"))
            self.assertEqual(session.faces_until_end(f"r{index}"), [])
        self.assertTrue(session.still_serves())


class Faces(MotionCase):
    def assert_in_range(self, faces):
        for face in faces:
            for name, size in SIZES.items():
                values = getattr(face, name)
                self.assertEqual(len(values), size, name)
                self.assertTrue(all(map(math.isfinite, values)), name)
            self.assertEqual(list(face.translation) + list(face.rotation), [0] * 6)
            self.assertLessEqual(max(map(abs, [*face.neck_pose, *face.eye_pose])), 0.2)
            self.assertTrue(-0.01 <= face.jaw_pose[0] <= 0.08)
            self.assertEqual(list(face.jaw_pose[1:]), [0, 0])
            self.assertTrue(all(0 <= lid <= 1 for lid in face.eye_lid))
            self.assertTrue(all(-3 <= value <= 2.5 for value in face.expression))
            self.assertEqual(list(face.expression[50:]), [0] * 50)

    def test_every_face_has_all_seven_fields_in_their_sizes_and_ranges_for_any_sound(self):
        session = self.session()
        extremes = array.array("h", ([32767] * 40 + [-32768] * 40) * 400).tobytes()
        noise = array.array(
            "h", ((i * i * 7919 + i * 104729) % 65536 - 32768 for i in range(32000))
        ).tobytes()
        for sound in (silence(2), buzz(32000, 16000), extremes, noise):
            self.assert_in_range(session.perform("a", sound))

    def test_in_silence_the_mouth_rests(self):
        session = self.session(extra={"stagedoor.blendshapes": "arkit52"})
        session.say("a", silence(8))
        frames = [frame for one in session.messages_until_end("a") for frame in one.named.frames]
        self.assertEqual(len(frames), 200)
        jaw = shape_names(self).index("jawOpen")
        self.assertLess(max(frame[jaw] for frame in frames), 0.02)

    @unittest.skipUnless(SPEECH.exists(), f"{SPEECH} is not installed (package alsa-utils)")
    def test_recorded_speech_opens_and_shuts_the_jaw_and_silence_after_it_shuts_it(self):
        rate_hz, sound = recorded_speech()
        faces = self.session(rate_hz=rate_hz).perform("a", sound + silence(1, rate_hz))
        self.assert_in_range(faces)
        jaws = [face.jaw_pose[0] for face in faces]
        self.assertGreater(max(jaws), 0.01)
        self.assertLess(max(jaws[-15:]), 0.002)
        middle = max(jaws) / 2
        crossings = sum((a < middle) != (b < middle) for a, b in zip(jaws, jaws[1:]))
        self.assertGreaterEqual(crossings, 2)
        self.assertGreater(max(max(map(abs, face.expression)) for face in faces), 0.2)


def shape_names(case):
    session = case.session(extra={"stagedoor.blendshapes": "arkit52"})
    session.say("names", silence(0.2))
    return session.receive().named.names


class Named(MotionCase):
    def test_named_shapes_come_only_when_they_are_asked_for(self):
        session = self.session()
        session.say("a", silence(2))
        self.assertTrue(all(one.named is None for one in session.messages_until_end("a")))

    def test_named_shapes_are_the_same_frames_with_their_names_told_once(self):
        session = self.session(extra={"stagedoor.blendshapes": "arkit52"})
        for req_id in ("a", "b"):
            session.say(req_id, buzz(5 * 16000, 16000))
            got = session.messages_until_end(req_id)
            self.assertEqual(
                [bool(one.named.names) for one in got], [True] + [False] * (len(got) - 1)
            )
            names = got[0].named.names
            self.assertEqual(len(names), 57)
            self.assertEqual(len(set(names)), 57)
            self.assertEqual(names[52:], ["headPitch", "headYaw", "headRoll", "eyePitch", "eyeYaw"])
            jaw, count = names.index("jawOpen"), 0
            for one in got:
                self.assertEqual(one.named.first_frame, count)
                self.assertEqual(len(one.named.frames), len(one.faces))
                for face, frame in zip(one.faces, one.named.frames):
                    self.assertEqual(len(frame), 57)
                    self.assertTrue(all(0 <= value <= 1 for value in frame[:52]))
                    self.assertLessEqual(max(map(abs, frame[52:])), 0.2)
                    self.assertAlmostEqual(face.jaw_pose[0], 0.075 * frame[jaw], places=6)
                count += len(one.faces)
            self.assertEqual(count, 125)

    def test_another_set_of_shapes_and_a_seed_that_is_no_number_are_refused(self):
        for extra, words in (
            ({"stagedoor.blendshapes": "arkit53"}, "stagedoor.blendshapes"),
            ({"stagedoor.seed": "seven"}, "stagedoor.seed"),
            ({"stagedoor.seed": ""}, "stagedoor.seed"),
            ({"stagedoor.seed": "-1"}, "stagedoor.seed"),
        ):
            session = self.session(configured=False)
            session.send(messages.configure(extra=extra))
            answer = session.receive()
            self.assertIsInstance(answer, Error)
            self.assertIn(words, answer.text)
            self.assertEqual(session.websocket.wait_until_closed().code, 1008)


class Opus(MotionCase):
    def opus_session(self, rate_hz=48000):
        return self.session(rate_hz=rate_hz, audio_format=messages.OGG_OPUS)

    def test_every_opus_rate_gives_floor_of_duration_times_25_faces(self):
        for rate_hz in OPUS_RATES_HZ:
            session = self.opus_session(rate_hz)
            for seconds in (0.02, 0.5, 1, 3.33):
                stream = b"".join(ogg_opus.silent_stream(seconds))
                self.assertEqual(
                    len(session.perform("a", stream)), math.floor(seconds * 25), (rate_hz, seconds)
                )

    def test_the_end_may_come_alone_and_the_stream_may_be_cut_anywhere(self):
        stream = b"".join(ogg_opus.silent_stream(2))
        session = self.opus_session()
        whole = wire_of(session.perform("a", stream))
        self.assertEqual(len(whole), 50)
        for chunk_bytes in (1, 7, 100, 255):
            session.say("a", stream, chunk_bytes, end=False)
            session.say("a", b"")
            self.assertEqual(wire_of(session.faces_until_end("a")), whole, chunk_bytes)

    def test_a_stream_without_its_end_page_ends_with_the_utterance(self):
        session = self.opus_session()
        stream = b"".join(ogg_opus.silent_stream(2)[:-1])  # 25 of the 20 ms packets a page
        session.say("a", stream)
        got = session.messages_until_end("a")
        self.assertFalse([one for one in got if isinstance(one, Error)])
        granules = (len(ogg_opus.silent_stream(2)) - 3) * 25 * 960 - ogg_opus.PRE_SKIP
        self.assertEqual(sum(len(one.faces) for one in got), granules * 25 // 48000)

    @unittest.skipUnless(
        ogg_opus.has_encoder() and SPEECH.exists(),
        "opusenc (package opus-tools) or recorded speech (package alsa-utils) is not installed",
    )
    def test_speech_in_opus_opens_the_jaw_as_the_same_speech_in_pcm_does(self):
        rate_hz, sound = recorded_speech()
        straight = [face.jaw_pose[0] for face in self.session(rate_hz=rate_hz).perform("a", sound)]
        for frame_millis in (10, 20, 40, 60):
            faces = self.opus_session(48000).perform(
                "a", ogg_opus.encoded(SPEECH, frame_millis), 1000
            )
            jaws = [face.jaw_pose[0] for face in faces]
            self.assertEqual(len(jaws), len(sound) // 2 * 25 // rate_hz)
            self.assertGreater(max(jaws), 0.6 * max(straight))
            self.assertGreater(correlation(jaws, straight), 0.8)

    def test_what_is_no_ogg_is_told_and_ends_that_utterance_and_no_other(self):
        good = ogg_opus.silent_stream(1)
        flipped = good[:2] + [good[2][:-1] + bytes([good[2][-1] ^ 1])] + good[3:]
        broken = {
            "garbage": b"\x00" * 4000,
            "text": b"RIFF....WAVEfmt " * 10,
            "bad checksum": b"".join(flipped),
            "page lost": b"".join(good[:2] + good[3:]),
            "no tags": good[0] + good[2],
            "wrong magic": b"".join(
                ogg_opus.silent_stream(1, head=ogg_opus.head_packet(magic=b"OpusHEAD"))
            ),
            "vorbis": b"".join(ogg_opus.silent_stream(1, head=b"\x01vorbis" + bytes(23))),
            "255 channels": b"".join(
                ogg_opus.silent_stream(1, head=ogg_opus.head_packet(channels=255))
            ),
            "chained": b"".join(good + ogg_opus.silent_stream(1, serial=78)),
            "two at once": good[0] + ogg_opus.silent_stream(1, serial=78)[0] + b"".join(good[1:]),
            "cut in a page": b"".join(good)[:-10],
            "cut in the head": good[0][:20],
            "bad packet": good[0]
            + good[1]
            + ogg_opus.page(77, 2, 4, 960, [b"\xff" + b"\xff" * 50]),
        }
        session = self.opus_session()
        for name, stream in broken.items():
            with self.subTest(name):
                session.say("bad", stream, 500)
                got = session.messages_until_end("bad")
                errors = [one for one in got if isinstance(one, Error)]
                self.assertEqual([(one.req_id, one.code) for one in errors], [("bad", 3)])
                self.assertTrue(errors[0].text)
                self.assertEqual(len(session.perform("good", b"".join(good))), 25)

    def test_pcm_in_an_opus_session_is_told(self):
        session = self.opus_session()
        session.say("a", buzz(16000, 16000))
        self.assertIsInstance(session.messages_until_end("a")[0], Error)

    def test_other_opus_rates_are_unsupported(self):
        for rate_hz in (22050, 32000, 44100, 96000, 1, -1):
            session = self.session(configured=False)
            session.send(messages.configure(rate_hz=rate_hz, audio_format=messages.OGG_OPUS))
            self.assertIn("unsupported sample rate", session.receive().text)


def correlation(first, second):
    n = min(len(first), len(second))
    a, b = first[:n], second[:n]
    mean_a, mean_b = sum(a) / n, sum(b) / n
    covariance = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    spread = math.sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))
    return covariance / spread


if __name__ == "__main__":
    main()
