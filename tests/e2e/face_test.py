"""A face on the server and the same face on the page look alike: `stagedoor face` against
face-view.js in a real browser. Pictures of both go to build/screenshots/.

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import node_packages

HERE = pathlib.Path(__file__).resolve().parent
FACES = HERE.parent.parent / "web" / "faces"
SCREENSHOTS = HERE.parent.parent / "build" / "screenshots"

CHARACTERS = ["ada", "bruno"]
LOOKS = {
    "rest": {},
    "open": {"jawOpen": 0.7, "mouthUpperUpLeft": 0.3, "mouthUpperUpRight": 0.3},
    "pucker": {"jawOpen": 0.15, "mouthPucker": 0.9},
    "blink": {"eyeBlinkLeft": 1, "eyeBlinkRight": 1, "eyeSquintLeft": 0.1},
    "turned": {"headYaw": 0.12, "headPitch": -0.06, "headRoll": 0.07, "eyeYaw": -0.1,
               "eyePitch": 0.05, "mouthSmileLeft": 0.6, "mouthSmileRight": 0.5, "browInnerUp": 0.6,
               "breath": 1},
}


def draw(*words):
    return subprocess.run([os.environ["STAGEDOOR"], "face", *map(str, words)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)


class Face(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.at = pathlib.Path(cls.folder.name)

    # Rule face-drawn-alike.
    def test_server_and_page_draw_the_same_face_alike(self):
        node_packages.install()
        cases = []
        for character in CHARACTERS:
            for look, inputs in LOOKS.items():
                width, height = (480, 720) if look == "turned" else (720, 480)
                png = SCREENSHOTS / f"face-{character}-{look}.server.png"
                done = draw(character, "--png", png, "--inputs", json.dumps(inputs),
                            "--width", width, "--height", height)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                cases.append({"sheet": str(FACES / f"{character}.json"), "inputs": inputs,
                              "png": str(png), "width": width, "height": height,
                              "screenshot": str(SCREENSHOTS / f"face-{character}-{look}.page.png")})
        file = self.at / "cases.json"
        file.write_text(json.dumps(cases))
        done = subprocess.run(["node", "face_browser.mjs", str(file)], cwd=HERE, timeout=200,
                              stdout=subprocess.PIPE, text=True, check=True)
        for case, measured in zip(cases, json.loads(done.stdout), strict=True):
            with self.subTest(case["png"]):
                print(pathlib.Path(case["png"]).name, measured)
                self.assertLess(measured["mean"], 3)
                self.assertLess(measured["worstBlock"], 20)

    def test_the_measure_would_notice_another_face(self):
        node_packages.install()
        png = self.at / "open.png"
        draw("ada", "--png", png, "--inputs", '{"jawOpen":0.5}')
        case = {"sheet": str(FACES / "ada.json"), "inputs": {}, "png": str(png), "width": 720,
                "height": 480, "screenshot": str(self.at / "page.png")}
        file = self.at / "other.json"
        file.write_text(json.dumps([case]))
        done = subprocess.run(["node", "face_browser.mjs", str(file)], cwd=HERE, timeout=200,
                              stdout=subprocess.PIPE, text=True, check=True)
        self.assertGreater(json.loads(done.stdout)[0]["worstBlock"], 40)

    def test_a_sheet_of_ones_own_is_drawn_and_a_wrong_one_is_told_where(self):
        png = self.at / "own.png"
        sheet = json.loads((FACES / "ada.json").read_text())
        own = self.at / "own.json"
        own.write_text(json.dumps(sheet))
        self.assertEqual(draw(own, "--png", png).returncode, 0)
        self.assertTrue(png.read_bytes().startswith(b"\x89PNG"))
        sheet["layers"][5]["shapes"][0]["fill"] = "skn"
        own.write_text(json.dumps(sheet))
        done = draw(own, "--png", png)
        self.assertEqual(done.returncode, 1)
        self.assertIn('layers[5].shapes[0].fill: there is no paint "skn"', done.stderr)

    def test_what_is_asked_for_wrongly_is_told_in_words(self):
        png = self.at / "none.png"
        for words, told in ((["nobody"], "There is no such character; there are ada, bruno."),
                            (["ada", "--inputs", '{"jawOpn":1}'], "There is no input jawOpn."),
                            (["ada", "--inputs", '{"jawOpen":9}'], "from -4 to 4"),
                            (["ada", "--inputs", "7"], "must be a JSON object"),
                            (["ada", "--width", "9000"], "16"),
                            (["missing.json"], "can't be read")):
            done = draw(*words, "--png", png)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(told, done.stderr)
            self.assertFalse(png.exists())


if __name__ == "__main__":
    unittest.main()
