"""The page of a share link in a real browser: a visitor without an account, a key or a microphone meets
the persona.

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import pathlib
import subprocess
import unittest

import node_packages
from cases import Stage, bearer, main

HERE = pathlib.Path(__file__).resolve().parent
SCREENSHOTS = HERE.parent.parent / "build" / "screenshots"
BROWSER_SECONDS = 120
PROMPT = "You are Ada.\nQ: When do you open?\nA: We open at nine in the morning."


class SharePage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        node_packages.install()
        cls.server = Stage().__enter__()
        cls.addClassCleanup(cls.server.close)
        made = lambda path, body: cls.server.http(
            "POST", path, bearer(cls.server.api_key), body).json()
        persona = made("/v1/personas", {"name": "Ada of the door", "skipGreeting": True,
                                        "systemPrompt": PROMPT})["id"]
        cls.token = made("/v1/share-links", {"personaId": persona, "usageLimit": 1})["token"]
        done = subprocess.run(
            ["node", "share_page_browser.mjs", f"{cls.server.address}/share/{cls.token}",
             str(SCREENSHOTS)], cwd=HERE, stdout=subprocess.PIPE, text=True,
            timeout=BROWSER_SECONDS,
            env={**os.environ, "STAGEDOOR_URL": cls.server.address,
                 "STAGEDOOR_KEY": cls.server.api_key})
        if done.returncode != 0:
            raise AssertionError(f"the browser ended with {done.returncode}; the server said:\n"
                                 + cls.server.log())
        cls.seen = json.loads(done.stdout)

    def test_looking_at_a_link_costs_no_use(self):
        self.assertEqual((self.seen["waiting"]["state"], self.seen["waiting"]["uses"]),
                         ("waiting", [0]))
        self.assertNotIn("Ada", self.seen["waiting"]["title"])

    def test_who_begins_sees_the_persona_and_talks_to_it(self):
        met = self.seen["met"]
        self.assertEqual((met["title"], met["uses"], met["problem"]), ("Ada of the door", [1], ""))
        self.assertEqual(met["width"], 720)
        self.assertGreater(met["time"], 0.5)
        self.assertIn("We open at nine in the morning.", met["caption"])
        self.assertEqual(self.seen["errors"], [])

    def test_who_leaves_and_finds_the_link_used_up_is_told(self):
        self.assertEqual((self.seen["left"]["state"], self.seen["left"]["problem"]), ("over", ""))
        self.assertEqual(self.seen["again"]["state"], "over")
        self.assertIn("opens nothing", self.seen["again"]["problem"])

    # Rule share-link-tells-nothing.
    def test_the_page_is_the_same_for_a_token_that_never_was(self):
        theirs = self.server.http("GET", "/share/" + self.token)
        nobodys = self.server.http("GET", "/share/sh_nobodys")
        self.assertEqual((theirs.status, theirs.body), (200, nobodys.body))
        self.assertEqual(theirs.headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(theirs.headers["X-Frame-Options"], "DENY")

    # Rule log-holds-no-credential.
    def test_no_token_is_in_the_log(self):
        self.assertNotIn(self.token, self.server.log())


if __name__ == "__main__":
    main()
