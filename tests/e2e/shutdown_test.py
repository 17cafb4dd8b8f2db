"""How the real binary goes: what has begun may end, and nothing new begins.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import unittest.mock

import motion_messages as messages
from cases import SOCKET_PATH, OneStage, main, silence, wait_until
from motion_messages import Animation, Error
from raw_websocket import Closed, Refusal, Wire, upgrade_request


class Leaving(OneStage):
    def metric(self, name):
        text = self.server.http("GET", "/metrics").body.decode()
        return float(re.search(rf"^{name} (\S+)", text, re.M)[1])

    def session(self, **how):
        session = self.server.session(**how)
        self.addCleanup(session.websocket.wire.drop)
        return session

    def begin_stop(self, utterances):
        """SIGTERM, once the server has heard of so many utterances."""
        wait_until(
            lambda: self.metric("stagedoor_utterances_total") == utterances,
            "the utterances to begin",
        )
        self.server.process.send_signal(signal.SIGTERM)
        self.server.wait_for_log("server.stopping")


class Stopping(Leaving):
    settings = "[server]\nshutdown_grace_seconds = 15\n"

    def setUp(self):
        super().setUp()
        self.server.start()

    def assert_told_and_gone(self, session):
        answer = session.receive()
        self.assertIsInstance(answer, Error)
        self.assertIn("shutting down", answer.text)
        self.assertEqual(session.websocket.wait_until_closed().code, 1001)

    def assert_ends_with_0(self):
        self.assertEqual(self.server.process.wait(10), 0)

    # Rule motion-server-lets-utterances-end.
    def test_an_utterance_that_has_begun_may_end_and_only_then_the_session_is_closed(self):
        session = self.session()
        session.say("a", silence(1), end=False)
        self.begin_stop(utterances=1)
        session.say("a", silence(1))
        self.assertEqual(len(session.faces_until_end("a")), 50)
        self.assert_told_and_gone(session)
        self.assert_ends_with_0()

    def test_overlapping_utterances_may_all_end(self):
        session = self.session()
        for req_id in ("a", "b"):
            session.say(req_id, silence(0.1), end=False)
        self.begin_stop(utterances=2)
        for req_id in ("a", "b"):
            session.say(req_id, silence(0.9))
            self.assertEqual(len(session.faces_until_end(req_id)), 25)
        self.assert_told_and_gone(session)
        self.assert_ends_with_0()

    def test_a_new_utterance_is_refused_while_another_may_still_end(self):
        session = self.session()
        session.say("a", silence(0.1), end=False)
        self.begin_stop(utterances=1)
        session.say("new", silence(1))
        answer = session.receive()
        self.assertEqual((type(answer), answer.req_id), (Error, "new"))
        self.assertIn("shutting down", answer.text)
        session.say("a", b"")
        self.assertEqual(len(session.faces_until_end("a")), 2)
        self.assert_told_and_gone(session)
        self.assert_ends_with_0()

    def test_an_interrupted_or_failed_utterance_counts_as_ended(self):
        session = self.session()
        session.say("a", silence(0.1), end=False)
        opus = self.session(audio_format=messages.OGG_OPUS)
        opus.send(messages.audio("a", b"OggS"))
        self.begin_stop(utterances=2)
        session.send(messages.interrupt("a"))
        self.assertEqual(session.faces_until_end("a"), [])
        self.assert_told_and_gone(session)
        opus.send(messages.audio("a", bytes(200)))  # a page whose checksum fails
        failed = opus.messages_until_end("a")
        self.assertEqual([type(one) for one in failed], [Error, Animation])
        self.assert_told_and_gone(opus)
        self.assert_ends_with_0()

    def test_a_session_in_which_nobody_speaks_is_closed_at_once(self):
        quiet, before_its_first_message = self.session(), self.session(configured=False)
        quiet.perform("a", silence(1))
        self.begin_stop(utterances=1)
        for session in (quiet, before_its_first_message):
            self.assert_told_and_gone(session)
        self.assert_ends_with_0()

    def test_new_sessions_and_readiness_get_503_while_the_server_is_going(self):
        holder = self.session()
        holder.say("a", silence(1), end=False)
        token = self.server.token()
        headers = {"X-App-ID": self.server.app_id, "X-Session-Key": token}
        upgrade = upgrade_request(
            self.server.port, f"{SOCKET_PATH}?id={self.server.avatar_id}", headers
        )
        ready = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
        # Connections that were there before, in the middle of their request.
        wires = [(Wire(self.server.port), request) for request in (upgrade, ready)]
        for wire, request in wires:
            self.addCleanup(wire.drop)
            wire.send(request[:30])
        wait_until(lambda: self.metric("stagedoor_connections") >= 3, "both to be accepted")
        self.begin_stop(utterances=1)
        for wire, request in wires:
            wire.send(request[30:])
            self.assertEqual(wire.take_answer().status, 503)
        with contextlib.suppress(OSError, Closed):  # or the door is shut already
            self.assertEqual(self.server.knock(token).status, 503)
        holder.say("a", b"")
        holder.faces_until_end("a")
        self.assert_told_and_gone(holder)
        self.assert_ends_with_0()
        # The refused token has not been spent.
        self.server.process = None
        self.server.start()
        self.assertTrue(self.server.is_admitted(token))

    def test_a_session_that_opens_in_the_very_moment_of_the_stop_is_told_too(self):
        for _ in range(5):
            self.stop_while_sessions_open()
            self.server.process = None
            self.server.start()

    def stop_while_sessions_open(self):
        tokens, ended = [self.server.token() for _ in range(120)], []

        def visit(mine):
            for token in mine:
                try:
                    answer = self.server.knock(token)
                except (OSError, Closed):
                    return
                if isinstance(answer, Refusal):
                    ended.append(answer.status)
                else:
                    waiting.append(answer)

        waiting = []
        threads = [threading.Thread(target=visit, args=(tokens[index::4],)) for index in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(waiting) >= 20, "some sessions to open")
        self.server.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(30)
        codes = {answer.wait_until_closed(10).code for answer in waiting}
        self.assertEqual(codes, {1001})
        self.assertLessEqual(set(ended), {503})
        self.assert_ends_with_0()

    def test_sigint_stops_in_the_same_way(self):
        session = self.session()
        self.server.process.send_signal(signal.SIGINT)
        self.assert_told_and_gone(session)
        self.assert_ends_with_0()


class Grace(Leaving):
    settings = "[server]\nshutdown_grace_seconds = 1\n"

    def test_a_second_signal_ends_the_process_at_once(self):
        self.server.settings = "[server]\nshutdown_grace_seconds = 15\n"
        # Nobody is waited for then, which TSan need not tell us.
        options = os.environ.get("TSAN_OPTIONS", "") + " report_thread_leaks=0"
        with unittest.mock.patch.dict(os.environ, TSAN_OPTIONS=options):
            self.server.start()
        self.session().say("a", silence(1), end=False)
        self.begin_stop(utterances=1)
        self.server.process.send_signal(signal.SIGTERM)
        self.assertNotEqual(self.server.process.wait(10), 0)

    def test_an_utterance_that_does_not_end_is_dropped_after_the_grace(self):
        self.server.start()
        session = self.server.session()
        session.say("a", silence(1), end=False)
        self.server.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(15), 0)
        session.websocket.wait_until_closed()

    def test_a_redemption_that_still_waits_when_the_grace_is_over_does_no_harm(self):
        self.server.settings = "[server]\nshutdown_grace_seconds = 0\n"
        self.server.start()
        token = self.server.token()
        path = self.server.data / "stagedoor.db"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            target = f"{SOCKET_PATH}?id={self.server.avatar_id}"
            headers = {"X-App-ID": self.server.app_id, "X-Session-Key": token}
            wire = Wire(self.server.port)
            self.addCleanup(wire.drop)
            wire.send(upgrade_request(self.server.port, target, headers))
            wait_until(
                lambda: self.server.http("GET", "/readyz").status == 503,
                "the redemption to wait for the store",
            )
            self.server.process.send_signal(signal.SIGTERM)
            self.server.wait_for_log("server.stopped")
            other.execute("ROLLBACK")
            self.assertEqual(self.server.process.wait(20), 0)

    def test_a_stray_signal_neither_ends_the_server_nor_keeps_it_from_ending(self):
        self.server.start()
        self.server.process.send_signal(signal.SIGUSR2)
        self.assertTrue(self.server.is_admitted(self.server.token()))
        self.assertEqual(self.server.halt(), 0)

    def test_nobody_who_stops_reading_the_log_can_hold_up_the_end(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        process = subprocess.Popen(
            [self.server.binary, "serve", "--data", str(self.server.data),
             "--listen", "127.0.0.1:0", "--json"],
            stdout=subprocess.PIPE, stderr=writer, text=True)
        os.close(writer)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        port = int(json.loads(process.stdout.readline())["listening"].rsplit(":", 1)[1])
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
            for _ in range(2000):
                client.request("GET", "/nothing-here")
                client.getresponse().read()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)

if __name__ == "__main__":
    main()
