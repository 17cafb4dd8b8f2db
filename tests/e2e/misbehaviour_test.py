"""Clients that behave badly, against the real binary: each is told or cut, and nobody else notices.

After every test the server must still serve another client, and its memory must be bounded.

SPDX-License-Identifier: Apache-2.0
"""

import os
import select
import struct
import time
import unittest

import motion_messages as messages
from cases import MotionClient, SOCKET_PATH, Stage, main, silence, wait_until
from motion_messages import Error
from raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    Closed,
    PING,
    PONG,
    TEXT,
    Wire,
    frame,
    upgrade_request,
)

MEBIBYTE = 1 << 20
# What a server with a handful of clients may hold more than at its start, whatever they do.
GROWTH_BYTES_MAX = 100 * MEBIBYTE


class MisbehaviourCase(unittest.TestCase):
    settings = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Stage(cls.settings).__enter__()
        cls.addClassCleanup(cls.server.close)
        with cls.server.session() as session:
            session.still_serves()
        cls.bytes_at_start = cls.server.resident_bytes()

    def setUp(self):
        self.bystander = self.session()

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), "the server has ended")
        self.assertTrue(self.bystander.still_serves(), "a client that was there all along")
        with self.server.session() as fresh:
            self.assertTrue(fresh.still_serves(), "a client that came afterwards")
        self.assert_bounded()

    def assert_bounded(self):
        self.assertLess(self.server.resident_bytes() - self.bytes_at_start, GROWTH_BYTES_MAX)

    def session(self, **how) -> MotionClient:
        session = self.server.session(**how)
        self.addCleanup(session.websocket.wire.drop)
        return session

    def fresh(self):
        return self.session(configured=False)

    def assert_told_and_closed(self, session, words, close_code, code=None):
        answer = session.receive()
        self.assertIsInstance(answer, Error, answer)
        self.assertIn(words, answer.text)
        if code is not None:
            self.assertEqual(answer.code, code)
        closed = session.websocket.wait_until_closed()
        self.assertEqual(closed.code, close_code, closed)


class FirstMessage(MisbehaviourCase):
    def test_garbage_is_told_and_closes_with_1002(self):
        for garbage in (
            b"\xff" * 100,
            b"\x0a",
            b"\x12\xff\xff\xff\xff\x0f",
            b"\x08" + b"\x80" * 11,
            b"\x12\x05\x08",
            b"\x0b" * 2000,
            b"GET / HTTP/1.1\r\n\r\n",
        ):
            session = self.fresh()
            session.send(garbage)
            self.assert_told_and_closed(session, "failed to unmarshal initial message", 1002)

    def test_another_message_first_is_told(self):
        for first in (
            messages.audio("a", silence(1), True),
            messages.interrupt("a"),
            b"",
            messages.number_field(1, 99),
            messages.message(messages.CONFIRM_SESSION, 3, messages.bytes_field(1, "me")),
        ):
            session = self.fresh()
            session.send(first)
            self.assert_told_and_closed(session, "expected ClientConfigureSession message", 1008)

    def test_a_configuration_without_content_is_told(self):
        session = self.fresh()
        session.send(messages.number_field(1, messages.CONFIGURE_SESSION))
        self.assert_told_and_closed(session, "ClientConfigureSession message is nil", 1008)

    def test_a_text_frame_is_told_and_closes_with_1003(self):
        session = self.fresh()
        session.websocket.send(TEXT, b'{"type":"configure"}')
        self.assert_told_and_closed(session, "expected ClientConfigureSession message", 1003)

    def test_an_unsupported_rate_is_told_with_a_code_that_lets_the_clients_read_the_words(self):
        for rate_hz in (1, 7999, 11025, 12000, 16001, 96000, 192000, 2**31 - 1, -1, -(2**31)):
            session = self.fresh()
            session.send(messages.configure(rate_hz=rate_hz))
            self.assert_told_and_closed(session, "unsupported sample rate", 1008, code=0)

    def test_unknown_formats_and_compressions_are_told(self):
        for how, words in (
            ({"audio_format": 2}, "audio_format"),
            ({"audio_format": -1}, "audio_format"),
            ({"compression": 1}, "transport_compression"),
            ({"egress_type": 3}, "egress_type"),
        ):
            session = self.fresh()
            session.send(messages.configure(**how))
            self.assert_told_and_closed(session, words, 1008, code=3)

    def test_livekit_egress_is_refused_in_the_words_that_the_clients_know(self):
        jwt = "eyJhbGciOiJIUzI1NiJ9.eyJ2aWRlbyI6e319.c2lnbmF0dXJl"
        room = {"url": "wss://livekit.example", "room_name": "room"}
        cases = (
            ({}, "livekit_egress", 3),
            ({"url": "wss://x"}, "livekit_egress", 3),
            (room, "missing livekit credentials", 3),
            ({**room, "api_key": "k"}, "provide api_token or both", 3),
            ({**room, "api_token": "not a token"}, "unauthorized", 16),
            ({**room, "api_token": jwt}, "egress client is not configured on server", 14),
            (
                {**room, "api_key": "k", "api_secret": "s"},
                "egress client is not configured on server",
                14,
            ),
        )
        for livekit, words, code in cases:
            session = self.fresh()
            session.send(messages.configure(egress_type=messages.LIVEKIT, livekit=livekit))
            self.assert_told_and_closed(session, words, 1008, code)

    def test_agora_egress_is_refused_in_the_words_that_the_clients_know(self):
        for agora, words, code in (
            ({}, "agora_egress", 3),
            ({"channel_name": "c"}, "egress client is not configured on server", 14),
        ):
            session = self.fresh()
            session.send(messages.configure(egress_type=messages.AGORA, agora=agora))
            self.assert_told_and_closed(session, words, 1008, code)

    def test_a_first_message_over_64_KiB_closes_with_1009(self):
        session = self.fresh()
        session.send(messages.configure(extra={"x": "y" * (1 << 16)}))
        self.assertEqual(session.websocket.wait_until_closed().code, 1009)


class LaterMessages(MisbehaviourCase):
    def test_garbage_is_told_and_closes_with_1002(self):
        session = self.session()
        session.send(b"\xff" * 1000)
        self.assert_told_and_closed(session, "failed to unmarshal message", 1002)

    def test_a_text_frame_is_told_and_closes_with_1003(self):
        session = self.session()
        session.websocket.send(TEXT, b"hello")
        self.assert_told_and_closed(session, "unexpected message type", 1003)

    def test_a_text_frame_that_is_not_utf8_closes(self):
        session = self.session()
        session.websocket.send(TEXT, b"\xff\xfe")
        self.assertIn(session.websocket.wait_until_closed().code, (1003, 1007))

    def test_an_unexpected_message_is_told_and_the_session_goes_on(self):
        session = self.session()
        for odd in (
            messages.configure(),
            b"",
            messages.number_field(1, 12345),
            messages.bytes_field(900, "later"),
            messages.message(messages.ANIMATION, 6, b""),
        ):
            session.send(odd)
            self.assertIn("unexpected message type", session.receive().text)
        self.assertTrue(session.still_serves())

    def test_random_bytes_never_end_the_process(self):
        for _ in range(60):
            session = self.session()
            session.send(os.urandom(200))
            session.send(messages.message(3, 4, os.urandom(50)))
            session.websocket.send(CLOSE, struct.pack("!H", 1000))
            session.websocket.wait_until_closed()

    def test_invalid_utf8_in_a_req_id_does_no_harm(self):
        session = self.session()
        body = messages.bytes_field(1, b"\xff\xfe") + messages.number_field(2, 1)
        session.send(messages.message(messages.AUDIO_INPUT, 4, body))
        self.assert_told_and_closed(session, "failed to unmarshal message", 1002)


class Frames(MisbehaviourCase):
    def test_a_frame_that_announces_64_MiB_closes_with_1009_before_it_is_read(self):
        session = self.session()
        session.websocket.wire.send(struct.pack("!BBQ", 0x82, 0xFF, 64 * MEBIBYTE) + b"mask")
        self.assertEqual(session.websocket.wait_until_closed().code, 1009)
        self.assert_bounded()

    def test_a_frame_of_64_MiB_that_does_come_is_not_held(self):
        session = self.session()
        try:
            session.websocket.wire.send(
                struct.pack("!BBQ", 0x82, 0xFF, 64 * MEBIBYTE) + b"\0\0\0\0"
            )
            for _ in range(64):
                session.websocket.wire.send(bytes(MEBIBYTE))
                self.assert_bounded()
        except (Closed, OSError):
            pass  # The server needs not read on.
        session.websocket.wire.drop()

    def test_the_largest_length_and_one_with_its_top_bit_set_close(self):
        for size in (2**63 - 1, 2**63, 2**64 - 1):
            session = self.session()
            session.websocket.wire.send(
                struct.pack("!BBQ", 0x82, 0xFF, size) + b"mask" + b"x" * 100
            )
            self.assertIn(session.websocket.wait_until_closed().code, (1002, 1009))

    def test_fragments_that_add_up_to_too_much_close_with_1009(self):
        session = self.session()
        try:
            for index in range(12):
                session.websocket.send(
                    CONTINUATION if index else BINARY, bytes(MEBIBYTE), final=False
                )
        except (Closed, OSError):
            pass
        try:
            closed = session.websocket.wait_until_closed()
            self.assertIn(closed.code, (1009, None))
        finally:
            self.assert_bounded()

    def test_ten_thousand_tiny_frames_are_read(self):
        session = self.session()
        tiny = frame(BINARY, messages.audio("a", b"\0\0"))
        for _ in range(100):
            session.websocket.wire.send(tiny * 100)
        session.say("a", b"")
        self.assertEqual(len(session.faces_until_end("a")), 10_000 * 25 // 16000)

    def test_ten_thousand_fragments_are_one_message(self):
        session = self.session()
        data = messages.audio("a", bytes(9990), True)
        data += (
            messages.bytes_field(100, bytes(10_000 - len(data) - 4)) if len(data) < 9996 else b""
        )
        pieces = b"".join(
            frame(CONTINUATION if at else BINARY, data[at : at + 1], final=at == len(data) - 1)
            for at in range(len(data))
        )
        session.websocket.wire.send(pieces)
        self.assertEqual(len(session.faces_until_end("a")), 9990 // 2 * 25 // 16000)

    def test_empty_fragments_without_end_hold_nothing(self):
        session = self.session()
        session.websocket.send(BINARY, b"", final=False)
        empty = frame(CONTINUATION, b"", final=False)
        for _ in range(200):
            session.websocket.wire.send(empty * 1000)
        self.assert_bounded()

    def test_a_flood_of_pings_is_answered_and_other_messages_come_through(self):
        session = self.session()
        ping = frame(PING, b"x" * 125)
        for _ in range(50):
            session.websocket.wire.send(ping * 20)
        self.assertTrue(session.still_serves())
        self.assertGreaterEqual(session.websocket.pongs, 1)

    def test_pongs_that_nobody_asked_for_are_passed_over(self):
        session = self.session()
        session.websocket.wire.send(frame(PONG, b"unasked") * 1000)
        self.assertTrue(session.still_serves())

    def test_frames_that_break_the_protocol_close_with_1002(self):
        breaks = {
            "unmasked": frame(BINARY, b"x", masked=False),
            "reserved bit": frame(BINARY, b"x", reserved=4),
            "unknown opcode": frame(3, b"x"),
            "unknown control": frame(11, b"x"),
            "fragmented ping": frame(PING, b"x", final=False),
            "long ping": frame(PING, b"x" * 126),
            "nothing to continue": frame(CONTINUATION, b"x"),
            "begun twice": frame(BINARY, b"x", final=False) + frame(BINARY, b"y"),
            "close of one byte": frame(CLOSE, b"\x03"),
            "close with a wrong code": frame(CLOSE, struct.pack("!H", 1005)),
        }
        for name, data in breaks.items():
            with self.subTest(name):
                session = self.session()
                session.websocket.wire.send(data)
                self.assertEqual(session.websocket.wait_until_closed().code, 1002)

    def test_a_length_that_is_not_the_shortest_does_no_harm(self):
        session = self.session()
        session.websocket.wire.send(struct.pack("!BBQ", 0x82, 0xFF, 2) + b"\0\0\0\0" + b"\xff\xff")
        session.websocket.wait_until_closed()

    def test_clients_that_vanish_in_the_middle_of_anything_leave_no_session(self):
        before = wait_until(
            lambda: self.live_sessions() == 1 and 1, "the sessions of other tests to end"
        )
        for cut in (0, 1, 3, 7, 100, 5000):
            session = self.session()
            session.websocket.wire.send(frame(BINARY, messages.audio("a", silence(1), True))[:cut])
            session.websocket.wire.drop()
        for _ in range(30):
            session = self.session()
            session.say("a", silence(5), end=False)
            session.websocket.wire.drop()
        wait_until(lambda: self.live_sessions() == before, "the sessions to end")

    def live_sessions(self):
        text = self.server.http("GET", "/metrics").body.decode()
        return next(
            int(float(line.split()[1]))
            for line in text.splitlines()
            if line.startswith("stagedoor_live_sessions ")
        )


class ReadsNothing(MisbehaviourCase):
    def send_what_is_taken(self, session, bytes_max, patience_seconds=1.0):
        """Sends sound until the server takes no more; returns how many bytes it took."""
        tcp, taken = session.websocket.wire.tcp, 0
        second = frame(BINARY, messages.audio("a", silence(1)))
        tcp.setblocking(False)
        waiting = b""
        while taken < bytes_max and select.select([], [tcp], [], patience_seconds)[1]:
            waiting = waiting or second * 8
            sent = tcp.send(waiting)
            waiting = waiting[sent:]
            taken += sent
        return taken

    def test_who_never_reads_is_not_heard_any_more_and_costs_a_bounded_amount(self):
        sessions = [self.session(receive_buffer_bytes=4096) for _ in range(4)]
        for session in sessions:
            taken = self.send_what_is_taken(session, 200 * MEBIBYTE)
            self.assertLess(taken, 200 * MEBIBYTE)
            self.assertLess(self.server.resident_bytes() - self.bytes_at_start, 40 * MEBIBYTE)
        self.assertTrue(self.bystander.still_serves())

    def test_who_floods_with_pings_and_never_reads_costs_a_bounded_amount(self):
        session = self.session(receive_buffer_bytes=4096)
        tcp, pings, taken = session.websocket.wire.tcp, frame(PING, b"x" * 125) * 100, 0
        tcp.setblocking(False)
        while taken < 100 * MEBIBYTE and select.select([], [tcp], [], 0.5)[1]:
            taken += tcp.send(pings[taken % len(pings) :])
        self.assertLess(taken, 100 * MEBIBYTE)
        self.assertLess(self.server.resident_bytes() - self.bytes_at_start, 40 * MEBIBYTE)


class Leash(MisbehaviourCase):
    """Cuts that come with time; each is waited for as an event."""

    settings = "[motion]\nconfigure_within_seconds = 1\n"

    def setUp(self):
        self.server.limits("--idle", "300", "--length", "7200")
        super().setUp()

    def test_who_never_sends_a_first_message_is_cut(self):
        session = self.fresh()
        self.assert_told_and_closed(session, "no audio input for", 1000)

    # Rule leash-idle.
    def test_who_sends_no_sound_is_cut_after_its_idle_time(self):
        self.server.limits("--idle", "1")
        session = self.session()
        session.perform("a", silence(1))
        self.assert_told_and_closed(session, "no audio input for 1 s", 1000, code=4)

    # Rule leash-idle.
    def test_pings_and_interrupts_are_not_sound(self):
        self.server.limits("--idle", "1")
        session = self.session()
        began = time.monotonic()
        while not select.select([session.websocket.wire.tcp], [], [], 0.1)[0]:
            self.assertLess(time.monotonic() - began, 15)
            session.websocket.send(PONG, b"")
            session.send(messages.interrupt("a"))
            session.send(messages.audio("empty", b"", False))
        self.assert_told_and_closed(session, "no audio input for 1 s", 1000)

    # Rule leash-length.
    def test_a_session_ends_at_its_full_length_even_while_it_speaks(self):
        self.server.limits("--length", "1")
        session = self.session()
        began = time.monotonic()
        with self.assertRaises(Closed) as closed:
            while time.monotonic() - began < 15:
                session.say("a", silence(0.1), end=False)
                answer = (
                    session.receive(0.05)
                    if select.select([session.websocket.wire.tcp], [], [], 0.05)[0]
                    else None
                )
                if isinstance(answer, Error):
                    self.assertIn("session time limit reached", answer.text)
                    self.assertEqual(answer.code, 4002)
                    raise session.websocket.wait_until_closed()
        self.assertEqual(closed.exception.code, 4002)

    def test_the_cuts_are_logged_with_who_ended_it(self):
        session = self.fresh()
        session.websocket.wait_until_closed()
        entry = self.server.wait_for_log("session.ended", ended_by="server", close_code=1000)
        self.assertTrue(entry["request_id"])


class SlowHead(MisbehaviourCase):
    settings = (
        "[http]\nhead_timeout_seconds = 1\nidle_timeout_seconds = 1\nbody_timeout_seconds = 1\n"
    )

    def test_a_hundred_slow_heads_are_all_cut_while_others_are_served(self):
        head = upgrade_request(self.server.port, SOCKET_PATH, {})[:-4]
        wires = [Wire(self.server.port) for _ in range(100)]
        try:
            for wire in wires:
                wire.send(head)
            self.assertTrue(self.bystander.still_serves())
            for wire in wires:
                self.assertIn(b" 408 ", wire.wait_until_closed().split(b"\r\n")[0])
        finally:
            for wire in wires:
                wire.drop()

    def test_a_connection_without_a_request_is_closed(self):
        with Wire(self.server.port) as wire:
            self.assertEqual(wire.wait_until_closed(), b"")

    def test_a_body_that_does_not_come_is_cut(self):
        with Wire(self.server.port) as wire:
            wire.send(
                b"POST /v1/console/session-tokens HTTP/1.1\r\nHost: x\r\n"
                b"Content-Length: 100\r\n\r\n{"
            )
            self.assertIn(b" 408 ", wire.wait_until_closed().split(b"\r\n")[0])


class Limits(MisbehaviourCase):
    settings = "[server]\nconnections_per_peer_max = 20\n[motion]\nmessage_bytes_max = 65536\n"

    def test_connections_over_the_limit_of_one_address_are_closed_and_their_place_comes_back(self):
        wires = []
        try:

            def is_full():
                wires.append(Wire(self.server.port))
                return bool(select.select([wires[-1].tcp], [], [], 0.05)[0])

            for _ in range(40):
                if is_full():
                    break
            self.assertLess(len(wires), 25)
            self.assertEqual(wires[-1].wait_until_closed(), b"")
            self.assertTrue(self.bystander.still_serves())
        finally:
            for wire in wires:
                wire.drop()
        wait_until(self.is_reachable, "places to come back")

    def is_reachable(self):
        try:
            return self.server.http("GET", "/healthz").status == 200
        except OSError:
            return False
        except Exception as error:  # a connection that is closed before the answer
            if type(error).__name__ in ("RemoteDisconnected", "BadStatusLine"):
                return False
            raise

    def test_a_message_over_the_set_limit_closes_with_1009_and_one_under_it_is_heard(self):
        session = self.session()
        self.assertEqual(len(session.perform("a", bytes(64_000))), 50)
        session.send(messages.audio("a", bytes(70_000)))
        self.assertEqual(session.websocket.wait_until_closed().code, 1009)


if __name__ == "__main__":
    main()
