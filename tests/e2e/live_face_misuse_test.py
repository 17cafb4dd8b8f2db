"""What bad input gets from a live face: rubbish, floods, clients that never come, ids that are no
longer any. Each is refused, noted and bounded, and the face goes on. What comes over the media
themselves is tested where they are read (src/media, src/live).

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import re
import socket
import time

from cases import bearer, main, wait_until
from engine_session_test import EngineSessionCase
from raw_websocket import WAIT_SECONDS, Closed, Refusal

OFFER = "\r\n".join("""v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=ice-ufrag:gI1/
a=ice-pwd:7wslkGvVVHWwpFtqi5kHJMG3
a=fingerprint:sha-256 6C:4F:B4:33:48:C1:D4:F1:8B:ED:CB:22:64:63:A8:78:D1:85:20:8E:FF:5C:8D:C4:B3:D3:E9:39:AF:67:FC:88
a=setup:actpass
a=mid:0
a=recvonly
a=rtcp-mux
a=rtpmap:96 VP8/90000
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=ice-ufrag:gI1/
a=ice-pwd:7wslkGvVVHWwpFtqi5kHJMG3
a=fingerprint:sha-256 6C:4F:B4:33:48:C1:D4:F1:8B:ED:CB:22:64:63:A8:78:D1:85:20:8E:FF:5C:8D:C4:B3:D3:E9:39:AF:67:FC:88
a=setup:actpass
a=mid:1
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
""".split("\n"))
OFFERED = {"connectionDescription": {"type": "offer", "sdp": OFFER}}
UNKNOWN = "01890000-0000-7000-8000-000000000000"


class Misuse(EngineSessionCase):
    def live(self):
        """A session with its socket, which answers."""
        session_id = self.started()
        link = self.socket(session_id)
        self.heartbeat_of(link, session_id)
        return session_id, link

    def until(self, link, action, seconds=WAIT_SECONDS):
        """The next message of this kind, and the others that came before it."""
        others = []
        while (message := json.loads(link.take_message(seconds)))["actionType"] != action:
            others.append(message)
        return message, others

    def answered(self, link):
        """Offers, and gives the SDP of the answer."""
        self.say(link, "offer", OFFERED)
        message, _ = self.until(link, "answer")
        return message["payload"]["sdp"]

    def is_there(self, session_id):
        return self.server.http("GET", f"/v1/live-sessions/{session_id}",
                                bearer(self.server.api_key)).status == 200

    def threads(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/task"))

    def test_garbage_offers_candidates_and_frames_are_refused_and_the_face_goes_on(self):
        session_id, link = self.live()
        for action, payload in (
                ("offer", None), ("offer", {}), ("offer", OFFERED | {"connectionDescription": 7}),
                ("offer", {"connectionDescription": {"type": "offer", "sdp": "v=0\r\n" * 5000}}),
                ("offer", {"connectionDescription": {"type": "offer", "sdp": "\0\xff" * 99}}),
                ("offer", {"connectionDescription": {
                    "type": "offer", "sdp": OFFER.replace("m=video 9", "m=video 99999999999")}})):
            self.say(link, action, payload, session_id)
            message = self.heard(link)
            self.assertEqual(message["actionType"], "warning", payload)
        for payload in (None, 7, "x" * 3000, {"candidate": {"candidate": ["\0" * 99]}},
                        {"candidate": "candidate:1 1 udp 99999999999999999999 999.1.1.1 -5 typ x"}):
            self.say(link, "icecandidate", payload, session_id)
        link.send(2, b"\x00\xff" * 500)  # a binary frame
        message, others = self.until(self.again(link, session_id), "heartbeat")
        self.assertLessEqual(len(others), 6)
        self.assertIn("a=ice-lite", self.answered(link))
        wait_until(lambda: len(self.refusals()) >= 6, "the refusals in the log")

    def refusals(self):
        return [entry for entry in self.server.log_entries()
                if entry["event"] == "live_face.message_refused"]

    def again(self, link, session_id):
        self.say(link, "heartbeat", "", session_id)
        return link

    def test_a_flood_of_rubbish_is_told_of_ten_times_a_second_and_counted(self):
        """Rule face-warnings-bounded."""
        session_id, link = self.live()
        began = time.monotonic()
        for _ in range(2000):
            link.send_text("rubbish")
        _, told = self.until(self.again(link, session_id), "heartbeat")
        seconds = time.monotonic() - began
        self.assertGreaterEqual(len(told), 10)
        self.assertLessEqual(len(told), 10 * (seconds + 2))
        flooded = self.server.wait_for_log("live_face.flooded", session_id=session_id)
        self.assertGreater(flooded["faults_left_out"], 0)
        self.assertLessEqual(len(self.refusals()), len(told))

    def test_a_flood_of_words_and_of_sound_is_bounded_and_the_face_goes_on(self):
        """Of each several times of what may wait is sent: 8 MiB of sound, 128 KiB of a stream's text,
        16 turns."""
        session_id, link = self.live()
        before = self.server.resident_bytes()
        sound = {"audioData": "AAAA" * (1 << 18), "encoding": "pcm_s16le", "sampleRate": 16000,
                 "channels": 1}
        for _ in range(96):
            self.say(link, "agentaudioinput", sound)
        stream = {"content": "and on " * 2500, "startOfSpeech": False, "endOfSpeech": False,
                  "correlationId": "flood"}
        for _ in range(1500):
            self.say(link, "talkstream", stream)
        for _ in range(40):
            self.assertEqual(self.words(session_id, "All work and no play. " * 900).status, 200)
        _, others = self.until(self.again(link, session_id), "heartbeat")
        told = {message["payload"] for message in others}
        self.assertEqual(told, {"More sound waits than may; some of it is not played.",
                                "More text waits than may; the rest is not spoken.",
                                "Too much waits to be said; this is not said."})
        grown = self.server.resident_bytes() - before
        print(f"{grown >> 20} MiB more after 72 MiB of sound and 25 MiB of words")
        if not self.server.has_sanitizer():
            self.assertLess(grown, 40 << 20)

    def test_a_thousand_sockets_without_a_session_are_refused_and_leave_nothing(self):
        session_id, link = self.live()
        before = self.server.resident_bytes()
        for _ in range(1000):
            refusal = self.socket(UNKNOWN)
            self.assertIsInstance(refusal, Refusal)
            self.assertEqual(refusal.status, 404)
        self.heartbeat_of(link, session_id)
        grown = self.server.resident_bytes() - before
        print(f"{grown / 1024:.0f} KiB more after 1000 refusals")
        self.server.wait_for_log("signalling.refused")
        if not self.server.has_sanitizer():
            self.assertLess(grown, 4 << 20)  # 4 KiB each: less than anything that stayed would hold

    def test_a_sessions_id_is_worth_nothing_after_its_end(self):
        session_id, link = self.live()
        self.end(session_id)
        with self.assertRaises(Closed):
            while True:
                link.take_message()
        wait_until(lambda: isinstance(self.socket(session_id), Refusal), "the id to be forgotten")
        self.assertEqual(self.words(session_id, "It is me.").status, 404)

    def test_datagrams_of_nobody_get_no_answer_and_the_face_goes_on(self):
        session_id, link = self.live()
        sdp = self.answered(link)
        host, port = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", sdp).groups()
        check = (b"\x00\x01\x00\x10\x21\x12\xa4\x42" + b"unknown-user"
                 + b"\x00\x06\x00\x0cnobody:nobod")
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                           socket.SOCK_DGRAM) as nobody:
            nobody.connect((host, int(port)))
            nobody.setblocking(False)
            for number in range(300):
                for datagram in (check, b"\x80\x6f" + os.urandom(170), b"\x81\xc9\x00\x07",
                                 b"\x16\xfe\xfd" + os.urandom(60), b"\x00", os.urandom(1200)):
                    nobody.send(datagram)
                if number % 50 == 0:
                    self.heartbeat_of(link, session_id)
            with self.assertRaises(BlockingIOError):
                nobody.recv(2000)

    def test_who_offers_and_never_starts_dtls_and_who_never_comes_are_ended(self):
        """Rule face-session-abandoned."""
        absent = self.started()
        session_id, link = self.live()
        self.answered(link)
        message, _ = self.until(link, "endsession", seconds=20)
        self.assertTrue(message["payload"])
        wait_until(lambda: not self.is_there(session_id), "its place to be free")
        self.assertTrue(self.is_there(absent), "it has 30 s to come")
        wait_until(lambda: not self.is_there(absent), "the session of nobody to end", seconds=30)

    def test_who_offers_again_and_again_and_never_starts_dtls_is_ended_all_the_same(self):
        """Rule face-session-abandoned."""
        session_id, link = self.live()
        began = time.monotonic()
        with self.assertRaises(Closed):
            while time.monotonic() - began < 40:
                self.answered(link)
                try:
                    self.until(link, "endsession", seconds=3)
                except TimeoutError:
                    continue
        self.assertLess(time.monotonic() - began, 30)
        self.server.wait_for_log("session.ended", session_id=session_id, reason="never_connected")

    def test_where_nobody_says_anything_the_idle_time_ends_it_unless_the_persona_rules_otherwise(self):
        """Rule face-idle."""
        self.server.limits("--idle", "2")
        ruled = self.started(self.token(voiceDetectionOptions={"silenceBeforeSessionEndSeconds": 0}))
        ruled_link = self.socket(ruled)
        session_id, link = self.live()
        began = time.monotonic()
        with self.assertRaises(Closed):
            while time.monotonic() - began < WAIT_SECONDS:
                self.again(link, session_id)  # heartbeats are no sign of anybody
                self.until(link, "heartbeat")
        self.server.wait_for_log("session.ended", session_id=session_id, reason="idle")
        self.assertTrue(self.is_there(ruled))
        self.heartbeat_of(ruled_link, ruled)

    def test_two_hundred_sessions_one_after_another_leave_neither_memory_nor_threads(self):
        for number in range(200):
            if number == 50:  # what is kept for reuse is there by now
                memory, threads = self.server.resident_bytes(), self.threads()
            session_id, link = self.live()
            self.answered(link)
            self.end(session_id)
            self.until(link, "endsession")
            link.wire.drop()
        wait_until(lambda: not self.is_there(session_id), "the last one to end")
        self.assertLessEqual(self.threads(), threads)
        grown = self.server.resident_bytes() - memory
        print(f"{grown / 1024:.0f} KiB more after 150 sessions")
        if self.server.has_sanitizer():
            self.skipTest("a sanitizer keeps memory of its own; ASan searches for leaks itself")
        # A session holds some 10 MiB while it lives, and the end of one may overlap the next; the
        # allocator keeps what that took. A session that stayed would show 150 times.
        self.assertLess(grown, 24 << 20)


if __name__ == "__main__":
    main()
