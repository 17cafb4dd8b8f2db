"""What must hold whenever the process dies, against the real binary and its real files.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import threading
import time
import unittest

from cases import NEVER, Stage, claims_of, main, temporary_folder, wait_until
from raw_websocket import Closed, Refusal

KILLING_SECONDS = 25
ROUNDS_LEAST = 8
THREADS = 4
SPENT = b'{"message":"Invalid session token: it has been used; mint one per session"}\n'


class Visitors:
    """Threads that mint tokens and open sessions until the server is gone, and remember each."""

    def __init__(self, server):
        self._server = server
        self._lock = threading.Lock()
        self.let_in, self.unclear, self.refused = [], [], []
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(THREADS)]

    def begin(self):
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join(30)

    def _visit(self):
        while True:
            try:
                token = self._server.token()
            except Exception:  # The server is gone, at whatever point of the exchange.
                return
            try:
                answer = self._server.knock(token)
            except Exception:
                with self._lock:
                    self.unclear.append(token)
                return
            with self._lock:
                (self.refused if isinstance(answer, Refusal) else self.let_in).append(token)
            if not isinstance(answer, Refusal):
                answer.wire.drop()


class Killed(unittest.TestCase):
    # Rule session-token-redeemed-durably.
    def test_no_token_is_ever_let_in_twice_however_often_the_process_is_killed(self):
        seed = random.randrange(1 << 30)
        chance = random.Random(seed)
        server = Stage()
        server.init()
        self.addCleanup(server.close)
        let_in, unclear, rounds = [], [], 0
        deadline = time.monotonic() + KILLING_SECONDS
        with self.subTest(seed=seed):
            while rounds < ROUNDS_LEAST or (time.monotonic() < deadline and rounds < 60):
                server.start()
                visitors = Visitors(server)
                visitors.begin()
                enough = chance.randrange(1, 80)
                wait_until(lambda: len(visitors.let_in) >= enough, "sessions to open")
                server.halt(signal.SIGKILL)
                visitors.join()
                self.assertEqual(visitors.refused, [])
                let_in += visitors.let_in
                unclear += visitors.unclear
                rounds += 1
                server.start()
                earlier = chance.sample(let_in, min(len(let_in), 40))
                for token in visitors.let_in[-60:] + earlier:
                    self.assertEqual(server.knock(token).body, SPENT)
                # Whoever never heard an answer may have lost the use, but not gained one.
                for token in visitors.unclear:
                    self.assertLessEqual(sum(server.is_admitted(token) for _ in range(3)), 1)
                server.halt(signal.SIGKILL)
            server.start()
            for token in let_in[-300:] + unclear:
                self.assertEqual(server.knock(token).body, SPENT)
            self.assertEqual(server.halt(), 0)
            with contextlib.closing(sqlite3.connect(server.data / "stagedoor.db")) as store:
                self.assertEqual(store.execute("PRAGMA integrity_check").fetchone(), ("ok",))
                uses = store.execute("SELECT max(uses), count(*) FROM redemptions").fetchone()
            self.assertEqual(uses[0], 1)
            self.assertGreaterEqual(uses[1], len(let_in))
        print(
            f"{rounds} rounds, {len(let_in)} sessions, {len(unclear)} unclear; ", end="", flush=True
        )

    def test_commands_that_are_killed_at_any_moment_leave_a_store_that_works(self):
        server = Stage()
        server.init()
        self.addCleanup(server.close)
        chance = random.Random(5)
        command = [server.binary, "key", "create", "--json", "--data", str(server.data)]
        for _ in range(25):
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.random() * 0.04)
            process.kill()
            process.wait()
        server.start()
        self.assertEqual(server.mint().status, 200)
        made = json.loads(server.must("key", "create", "--json"))
        wait_until(lambda: server.mint(made["api_key"]).status == 200, "the new key to be known")


class AtOnce(unittest.TestCase):
    def setUp(self):
        self.server = Stage().__enter__()
        self.addCleanup(self.server.close)

    def admitted_of(self, token, attempts=32):
        """How many of so many attempts at the same moment are let in, by header and by query."""
        barrier, outcomes = threading.Barrier(attempts), []

        def attempt(by):
            barrier.wait(20)
            with contextlib.suppress(Closed, OSError):
                answer = self.server.knock(token, by=by)
                outcomes.append(answer)

        threads = [
            threading.Thread(target=attempt, args=(("header", "query")[index % 2],))
            for index in range(attempts)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual(len(outcomes), attempts)
        refused = [one for one in outcomes if isinstance(one, Refusal)]
        self.assertEqual({one.body for one in refused}, {SPENT})
        for one in outcomes:
            if not isinstance(one, Refusal):
                one.wire.drop()
        return attempts - len(refused)

    def test_of_32_simultaneous_attempts_with_one_token_exactly_one_is_let_in(self):
        for _ in range(12):
            self.assertEqual(self.admitted_of(self.server.token()), 1)

    def test_of_32_simultaneous_attempts_with_a_token_for_three_exactly_three_are_let_in(self):
        self.server.limits("--token-uses", "3")
        for _ in range(8):
            self.assertEqual(self.admitted_of(self.server.token()), 3)

    def test_of_many_simultaneous_tokens_the_limit_of_sessions_is_never_passed(self):
        self.server.limits("--sessions", "5")
        # The session of the token that showed the limit has not been opened, so all five are free.
        tokens = [self.server.token() for _ in range(32)]
        barrier, outcomes = threading.Barrier(32), []

        def attempt(token):
            barrier.wait(20)
            outcomes.append((token, self.server.knock(token)))

        threads = [threading.Thread(target=attempt, args=(token,)) for token in tokens]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        open_now = [answer for _, answer in outcomes if not isinstance(answer, Refusal)]
        refused = [(token, answer) for token, answer in outcomes if isinstance(answer, Refusal)]
        self.assertEqual((len(open_now), {answer.status for _, answer in refused}), (5, {429}))
        for answer in open_now:
            answer.wire.drop()
        wait_until(
            lambda: self.server.is_admitted(refused[0][0]), "a refused token to find a place"
        )


class Revocation(unittest.TestCase):
    def setUp(self):
        self.server = Stage().__enter__()
        self.addCleanup(self.server.close)

    def new_key(self):
        made = json.loads(self.server.must("key", "create", "--json"))
        wait_until(
            lambda: self.server.mint(made["api_key"]).status == 200, "the new key to be known"
        )
        return made

    def seconds_until_refused(self, made):
        self.server.must("key", "revoke", made["id"], "--reason", "test")
        began = time.monotonic()
        while self.server.mint(made["api_key"]).status != 401:
            self.assertLess(time.monotonic() - began, 10)
            NEVER.wait(0.002)
        return time.monotonic() - began

    def test_a_key_that_another_process_revokes_is_refused_within_100_ms(self):
        # The middle of seven: a busy machine may stop us between two questions.
        took = [self.seconds_until_refused(self.new_key()) for _ in range(7)]
        print(
            f"{statistics.median(took) * 1000:.0f} ms, at most {max(took) * 1000:.0f} ms; ",
            end="",
            flush=True,
        )
        self.assertLess(statistics.median(took), 0.1)

    def test_a_revoked_key_stays_refused_after_kill_and_restart(self):
        made = self.new_key()
        self.server.must("key", "revoke", made["id"])
        self.server.restart(signal.SIGKILL)
        self.assertEqual(self.server.mint(made["api_key"]).status, 401)
        self.assertEqual(self.server.mint().status, 200)

    def test_what_a_revoked_key_has_minted_opens_nothing_also_after_kill_and_restart(self):
        made = self.new_key()
        tokens = [self.server.token(made["api_key"]) for _ in range(3)]
        self.assertTrue(self.server.is_admitted(tokens[0]))
        self.server.must("key", "revoke", made["id"])
        wait_until(
            lambda: self.server.mint(made["api_key"]).status == 401, "the revocation to be known"
        )
        self.assertEqual(
            self.server.knock(tokens[1]).body, b'{"message":"Invalid session token"}\n'
        )
        self.server.restart(signal.SIGKILL)
        for token in tokens[1:]:
            self.assertEqual(
                self.server.knock(token).body, b'{"message":"Invalid session token"}\n'
            )

    def test_revoking_again_keeps_the_first_time_and_reason(self):
        made = self.new_key()
        first = json.loads(
            self.server.must("key", "revoke", made["id"], "--reason", "one", "--json")
        )
        again = json.loads(
            self.server.must("key", "revoke", made["id"], "--reason", "two", "--json")
        )
        self.assertEqual(
            (again["revoked_at"], again["revoked_reason"]), (first["revoked_at"], "one")
        )

    def test_a_key_made_before_kill_exists_afterwards(self):
        made = json.loads(self.server.must("key", "create", "--json"))
        self.server.restart(signal.SIGKILL)
        self.assertEqual(self.server.mint(made["api_key"]).status, 200)


class Backup(unittest.TestCase):
    def test_a_backup_taken_while_serving_gives_a_folder_that_works(self):
        server = Stage().__enter__()
        self.addCleanup(server.close)
        spent = [server.token() for _ in range(20)]
        self.assertTrue(all(server.is_admitted(token) for token in spent))
        unspent = server.token()
        revoked = json.loads(server.must("key", "create", "--json"))
        server.must("key", "revoke", revoked["id"])
        visitors = Visitors(server)
        visitors.begin()
        with temporary_folder() as folder:
            copy = Stage(data=folder + "/copy")
            copy.data.mkdir(mode=0o700)
            wait_until(lambda: visitors.let_in, "visitors")
            server.must("backup", str(copy.data / "stagedoor.db"))
            self.assertEqual((copy.data / "stagedoor.db").stat().st_mode & 0o777, 0o600)
            for secret in ("server-secret", "audit-key"):
                shutil.copy2(server.data / secret, copy.data / secret)
            server.halt(signal.SIGKILL)
            visitors.join()
            copy.initialised = server.initialised
            self.addCleanup(copy.stop)
            copy.start()
            self.assertTrue(copy.is_admitted(copy.token()))
            self.assertEqual([copy.knock(token).body for token in spent], [SPENT] * len(spent))
            self.assertEqual([copy.is_admitted(unspent) for _ in range(2)], [True, False])
            self.assertEqual(copy.mint(revoked["api_key"]).status, 401)
            self.assertEqual(claims_of(copy.token())["app"], server.app_id)
            self.assertEqual(copy.stop(), 0)

    def test_a_backup_never_writes_over_a_file(self):
        server = Stage()
        server.init()
        self.addCleanup(server.close)
        with temporary_folder() as folder:
            file = folder + "/backup.db"
            with open(file, "w") as taken:
                taken.write("mine")
            done = server.command("backup", file)
            self.assertEqual(done.returncode, 1)
            self.assertIn("exists already", done.stderr)
            with open(file) as taken:
                self.assertEqual(taken.read(), "mine")

    def test_a_backup_without_its_server_secret_knows_no_key(self):
        server = Stage()
        server.init()
        self.addCleanup(server.close)
        with temporary_folder() as folder:
            copy = Stage(data=folder + "/copy")
            copy.init()
            (copy.data / "stagedoor.db").unlink()
            server.must("backup", str(copy.data / "stagedoor.db"))
            shutil.copy2(server.data / "audit-key", copy.data / "audit-key")
            copy.initialised = server.initialised
            self.addCleanup(copy.stop)
            copy.start()
            self.assertEqual(copy.mint().status, 401)


if __name__ == "__main__":
    main()
