"""What an operator does with the real binary: set up, configure, make and revoke keys.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import unittest

from cases import COMMAND_SECONDS, OneStage, Stage, claims_of, main, temporary_folder

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY_ID = r"key_[0-9a-f]{16}"


class Init(OneStage):
    def test_it_prints_one_json_object_with_the_five_first_things(self):
        made = self.server.initialised
        forms = {
            "workspace_id": r"ws_[0-9A-Za-z]{20}",
            "app_id": r"app_[0-9A-Za-z]{20}",
            "avatar_id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            "persona_id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            "api_key": r"av_test_[0-9A-Za-z]{37}",
        }
        self.assertEqual(set(made), set(forms))
        for name, form in forms.items():
            self.assertRegex(made[name], f"^{form}$")

    def test_nobody_else_can_read_the_folder_or_what_is_secret_in_it(self):
        self.assertEqual(self.server.data.stat().st_mode & 0o777, 0o700)
        for name in ("server-secret", "stagedoor.db", "page-key", "audit-key"):
            self.assertEqual((self.server.data / name).stat().st_mode & 0o077, 0, name)

    def test_the_key_is_in_no_file_of_the_folder(self):
        for file in self.server.data.iterdir():
            self.assertNotIn(self.server.api_key.encode(), file.read_bytes(), file)

    def test_a_second_init_is_refused_and_changes_nothing(self):
        names = ("server-secret", "page-key", "audit-key")
        before = [(self.server.data / name).read_bytes() for name in names]
        done = self.server.command("init", "--json")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("already", done.stderr)
        self.assertEqual([(self.server.data / name).read_bytes() for name in names], before)
        self.server.start()
        self.assertEqual(self.server.mint().status, 200)

    def test_without_json_it_shows_the_same_things_to_people(self):
        other = Stage(data=str(self.server.data / "other"))
        shown = other.must("init")
        for form in ("app_", "av_test_", "shown this once"):
            self.assertIn(form, shown)


class Start(OneStage):
    def test_a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(self):
        self.server.start()
        done = self.serve_for_refusal()
        self.assertEqual(done.returncode, 1)
        self.assertIn("Another stagedoor serves", done.stderr)
        self.assertEqual(self.server.mint().status, 200)
        self.server.halt(signal.SIGKILL)
        self.server.start()  # A killed server holds nobody up.

    def test_a_folder_that_was_never_initialised_is_refused_with_what_to_do(self):
        for name in ("empty", "missing"):
            if name == "empty":
                (self.server.data / name).mkdir()
            command = [self.server.binary, "serve", "--data", str(self.server.data / name)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS)
            self.assertEqual(done.returncode, 1)
            self.assertIn("stagedoor init --data", done.stderr)

    def test_an_unknown_setting_stops_the_start_and_names_the_nearest(self):
        for text, unknown, nearest in (
            ("[server]\nlissten = 'x'\n", "server.lissten", "server.listen"),
            (
                "[tokens]\nconect_within_seconds = 1\n",
                "tokens.conect_within_seconds",
                "tokens.connect_within_seconds",
            ),
            ("[logs]\nlevel = 'info'\n", "logs.level", "log.level"),
            ("listen = 'x'\n", "listen", "server.listen"),
            ("[log.level]\nx = 1\n", "log.level", None),
        ):
            path = self.write("wrong.toml", text)
            for done in (
                self.serve_for_refusal("--config", path),
                self.server.command("config", "check", "--config", path, data=False),
            ):
                self.assertEqual(done.returncode, 1, text)
                self.assertIn(unknown, done.stderr)
                self.assertIn(path, done.stderr)
                if nearest:
                    self.assertIn(f"did you mean {nearest}?", done.stderr)

    def test_a_wrong_value_stops_the_start_and_says_what_would_be_right(self):
        for text, words in (
            ("[server]\nthreads = -1\n", "0 to 256"),
            ("[server]\nthreads = '2'\n", "whole number"),
            ("[log]\nlevel = 'loud'\n", "debug, info, warning, error"),
            ("[server]\nlisten = 5\n", "quotes"),
            ("[tokens]\nalgorithm = 'none'\n", "HS256, EdDSA"),
            ("[keys]\naccept_live = 'yes'\n", "true or false"),
            ("[server]\nlisten = '127.0.0.1'\n", "127.0.0.1"),
            ("[server\n", ":1:"),
            ("[server]\n[server]\n", ":2:"),
            ("[server]\nlisten = 'localhost:99999'\n", "99999"),
            ("[http]\nhead_timeout_seconds = 0\n", "1 to 3600"),
            ("[secrets]\ntrusted_token_key_files = 'x'\n", "list of texts"),
        ):
            done = self.serve_for_refusal("--config", self.write("wrong.toml", text))
            self.assertEqual(done.returncode, 1, text)
            self.assertIn(words, done.stderr, text)

    def test_a_settings_file_that_is_missing_stops_the_start(self):
        done = self.serve_for_refusal("--config", str(self.server.data / "none.toml"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.toml", done.stderr)

    def test_a_secret_that_others_can_read_stops_the_start_and_every_command_on_it(self):
        for mode in (0o644, 0o640, 0o602):
            (self.server.data / "server-secret").chmod(mode)
            for done in (
                self.serve_for_refusal(),
                self.server.command("key", "create"),
                self.server.command("secret", "rotate"),
            ):
                self.assertEqual(done.returncode, 1)
                self.assertIn("chmod 600", done.stderr)
        (self.server.data / "server-secret").chmod(0o600)
        self.server.start()

    def test_a_secret_that_is_not_one_stops_the_start(self):
        for text in (
            "",
            "\n\n# nothing\n",
            "0" * 63 + "\n",
            "z" * 64 + "\n",
            ("0" * 64 + "\n") * 3,
        ):
            (self.server.data / "server-secret").write_text(text)
            self.assertEqual(self.serve_for_refusal().returncode, 1, text)

    def test_an_address_that_is_taken_stops_the_start(self):
        self.server.start()
        other = Stage()
        other.init()
        self.addCleanup(other.close)
        command = [
            other.binary,
            "serve",
            "--data",
            str(other.data),
            "--listen",
            f"127.0.0.1:{self.server.port}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.strip())

    def test_words_that_do_not_exist_end_with_2(self):
        for words in (
            (),
            ("sreve",),
            ("key",),
            ("serve", "--prot", "1"),
            ("key", "revoke"),
            ("app", "set", "x", "--idle", "0"),
        ):
            self.assertEqual(self.server.command(*words, data=False).returncode, 2, words)


class Config(OneStage):
    def run_config(self, *words):
        return self.server.must("config", *words, data=False)

    def test_what_print_prints_is_read_back_to_the_same(self):
        printed = self.run_config("print")
        path = self.write("printed.toml", printed)
        self.assertIn("fine", self.run_config("check", "--config", path))
        self.assertEqual(self.run_config("print", "--config", path), printed)

    def test_texts_with_quotes_backslashes_and_new_lines_come_back_as_they_were(self):
        path = self.write(
            "odd.toml",
            '[tokens]\nissuer = "a\\"b\\\\c\\td\\ne\\u0001\\u00e9\\u007f\\U0001f600"\n'
            '[secrets]\ntrusted_token_key_files = [\'C:\\x"y\', "z"]\n',
        )
        printed = self.run_config("print", "--config", path)
        again = self.write("again.toml", printed)
        self.assertEqual(self.run_config("print", "--config", again), printed)
        self.server.settings = printed
        self.assertIn('issuer = "a\\"b', printed)

    def test_the_reference_names_every_setting_that_is_printed(self):
        table, reference = "", self.run_config("reference")
        names = []
        for line in self.run_config("print").splitlines():
            if heading := re.fullmatch(r"\[(\w+)\]", line):
                table = heading[1]
            elif setting := re.match(r"(\w+) = ", line):
                names.append(f"{table}.{setting[1]}")
        self.assertGreater(len(names), 20)
        self.assertEqual(re.findall(r"^\| `([\w.]+)`", reference, re.M), names)

    def test_the_written_reference_is_the_programs_own(self):
        written = ROOT / "docs" / "reference" / "config.md"
        self.assertEqual(written.read_text(), self.run_config("reference"))

    def test_settings_take_effect(self):
        self.server.settings = (
            '[tokens]\nissuer = "me \\"x\\""\nregion = "moon"\nconnect_within_seconds = 60\n'
        )
        self.server.start()
        claims = claims_of(self.server.token())
        self.assertEqual((claims["iss"], claims["region"]), ('me "x"', "moon"))
        self.assertEqual(claims["leash"]["by"] - claims["iat"], 60)


class Keys(OneStage):
    def listed(self, *words):
        return [
            json.loads(line)
            for line in self.server.must("key", "list", "--json", *words).splitlines()
        ]

    def test_a_key_is_shown_when_it_is_made_and_afterwards_only_by_its_ends(self):
        made = json.loads(self.server.must("key", "create", "--json", "--name", 'the "shop"'))
        self.assertRegex(made["id"], f"^{KEY_ID}$")
        (mine,) = [key for key in self.listed() if key["id"] == made["id"]]
        self.assertEqual(mine["ends"], f"{made['api_key'][:12]}…{made['api_key'][-4:]}")
        self.assertEqual(
            (mine["name"], mine["environment"], mine["revoked_at"]), ('the "shop"', "test", None)
        )
        for listing in (self.server.must("key", "list", "--json"), self.server.must("key", "list")):
            self.assertNotIn(made["api_key"], listing)
            self.assertNotIn(made["api_key"][12:-4], listing)

    def test_revoking_is_listed_with_its_time_and_reason(self):
        made = json.loads(self.server.must("key", "create", "--json"))
        self.assertIn(
            "is revoked", self.server.must("key", "revoke", made["id"], "--reason", "it leaked")
        )
        (mine,) = [key for key in self.listed() if key["id"] == made["id"]]
        self.assertEqual(mine["revoked_reason"], "it leaked")
        self.assertGreater(mine["revoked_at"], 1_700_000_000)
        self.assertIn("revoked", self.server.must("key", "list"))

    def test_what_is_wrong_is_refused_and_makes_nothing(self):
        before = self.listed()
        for words in (
            ("create", "--app", "app_unknown"),
            ("create", "--name", ""),
            ("create", "--name", "x" * 101),
            ("revoke", "key_0000000000000000"),
            ("revoke", "nonsense"),
            ("revoke", "key_" + "G" * 16),
        ):
            done = self.server.command("key", *words)
            self.assertEqual(done.returncode, 1, words)
            self.assertTrue(done.stderr.startswith("stagedoor: "), done.stderr)
        self.assertEqual(self.listed(), before)

    def test_tokens_minted_by_command_refuse_what_cannot_be(self):
        key_file = self.server.key_file()
        for words in (
            ("--expires-in", "0"),
            ("--expires-in", "86401"),
            ("--expires-in", "-1"),
            ("--avatar", "unknown"),
            ("--expires-in", "99999999999999999"),
            ("--expires-in", "9223372036854775807"),
        ):
            done = self.server.command("token", "mint", "--key-file", key_file, *words)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertNotIn("eyJ", done.stdout)
        (self.server.data / "key-for-commands").chmod(0o644)
        done = self.server.command("token", "mint", "--key-file", key_file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod 600", done.stderr)

    def test_wishes_for_a_token_out_of_range_are_refused_and_others_cut_to_the_apps_limits(
        self,
    ):
        key_file = self.server.key_file()
        for option in ("--connect-within", "--length", "--idle", "--uses"):
            for number in ("0", "-1", "x", "", "9223372036854775807", "9223372036854775808"):
                done = self.server.command(
                    "token", "mint", "--key-file", key_file, f"{option}={number}"
                )
                self.assertEqual((done.returncode, done.stdout), (2, ""), (option, number))
        applied = json.loads(
            self.server.must(
                "token",
                "mint",
                "--json",
                "--key-file",
                key_file,
                "--connect-within",
                "86400",
                "--length",
                "604800",
                "--idle",
                "86400",
                "--uses",
                "1000",
            )
        )
        self.assertEqual(applied["connect_by"], applied["expires_at"])
        self.assertEqual(
            (applied["length_max_seconds"], applied["idle_max_seconds"], applied["uses_max"]),
            (7200, 300, 1),
        )

    def test_a_token_carries_its_end_user_whose_id_has_at_most_256_bytes(self):
        mint = ("token", "mint", "--key-file", self.server.key_file(), "--end-user")
        for end_user in ("anna@example.org", 'Zoë "x" \\', "x" * 256):
            self.assertEqual(claims_of(self.server.must(*mint, end_user))["sub"], end_user)
        done = self.server.command(*mint, "x" * 257)
        self.assertEqual((done.returncode, done.stdout), (1, ""))


class Dying(unittest.TestCase):
    def test_an_init_that_is_killed_leaves_a_workspace_or_none_never_half_of_one(self):
        for delay_millis in range(0, 40, 2):
            with temporary_folder() as folder:
                data = os.path.join(folder, "data")
                command = [os.environ["STAGEDOOR"], "init", "--data", data, "--json"]
                process = subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(delay_millis / 1000)
                process.kill()
                process.communicate()
                again = subprocess.run(command, capture_output=True, text=True, timeout=30)
                if again.returncode == 0:
                    self.assertIn("api_key", json.loads(again.stdout))
                    continue
                self.assertIn("already", again.stderr)
                keys = subprocess.run(
                    [os.environ["STAGEDOOR"], "key", "list", "--data", data, "--json"],
                    capture_output=True, text=True, timeout=30)
                self.assertEqual(len(keys.stdout.splitlines()), 2)

    def test_a_token_key_is_never_written_over_a_file(self):
        with contextlib.closing(Stage()) as server:
            server.init()
            secret = server.data / "server-secret"
            before = secret.read_bytes()
            done = server.command("secret", "token-key", str(secret))
            self.assertEqual(done.returncode, 1)
            self.assertEqual(secret.read_bytes(), before)

if __name__ == "__main__":
    main()
