"""A live face: its bars as a browser measures them, and how many of them a core performs.

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import pathlib
import sys

import face
import machine
import serving

HERE = pathlib.Path(__file__).resolve().parent
E2E = HERE.parent / "tests" / "e2e"
FACES = (4, 8, 10, 12)
SECONDS = 8
# Before other programs on the machine, where that is allowed: the beat of sound is 20 ms.
FIRST = ["nice", "-n", "-19"] if os.geteuid() == 0 else []


def in_the_browser():
    sys.path.insert(0, str(E2E))
    os.environ.setdefault("STAGEDOOR", str(serving.STAGEDOOR))
    import harness
    import node_packages
    node_packages.install()
    # On all cores, as the browser: pinned beside it, the two would wait for each other.
    with harness.Server() as server:
        said = serving.run(["node", HERE / "live_face.mjs"], timeout=200, env={
            **os.environ, "STAGEDOOR_URL": server.address,
            "STAGEDOOR_KEY": server.initialised["api_key"]})
    seen = json.loads(said)
    rows = (("page start to first picture", "frame", 400),
            ("page start to first picture in which something has moved", "start", 400),
            ("the client's call to that", "call", None),
            ("`talk()` to first sound", "talk", 200),
            ("interruption to last sound", "stop", 100),
            ("lips behind the sound (negative: ahead)", "lips", 40),
            ("the same, as the browser reckons", "browser", 40))
    lines = ["| ms | median (range) | bar | of the bar |", "|---|---|---|---|"]
    for words, name, bar in rows:
        values = [value for value in seen[name] if value is not None]
        if not values:
            continue
        share = f"{max(abs(machine.middle(values)), 0) / bar:.2f}" if bar else ""
        lines.append(f"| {words} | {machine.spread(values)} | {bar or ''} | {share} |")
    return [*lines, "", f"Likeness of sound and lips: {machine.spread(seen['alike'])}."]


def on_a_core():
    lines = ["| character | faces | pictures/s of each | left out | sound/s of each | of the core "
             "| camera | Opus | all else, ms a picture | faces a core | longest and p99 between two "
             "packets of sound, ms |", "|" + "---|" * 11]
    with serving.Folder() as folder:
        speech = folder.path / "speech.wav"
        serving.run(["flite", "-voice", "slt", "-t", face.TEXT, "-o", speech])
        for character in ("ada", "bruno"):
            said = serving.run([*FIRST, serving.BUILD / "live_faces", speech, character, SECONDS,
                                *FACES])
            for line in said.splitlines():
                (faces, pictures, left_out, sounds, busy, camera, sound, rest, _, longest,
                 late) = line.split()
                each = float(camera) + float(sound) + float(rest)
                lines.append(f"| {character} | {faces} | {pictures} | {left_out} % | {sounds} | "
                             f"{busy} | {camera} | {sound} | {rest} | "
                             f"**{face.PICTURE_MS / each:.1f}** | {longest}, {late} |")
    return lines


def measure():
    return ["In headless Chromium with the vendor's client, on loopback:", "", *in_the_browser(),
            "", "Faces that speak without a pause at 720x480, over UDP, on one core:", "",
            *on_a_core()]
