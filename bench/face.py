"""What a live face costs in processor time per picture, split into drawing, turning colours, VP8
and Opus, for every character and size.

SPDX-License-Identifier: Apache-2.0
"""

import serving

PICTURE_MS = 40
TEXT = ("The curtain rises at eight, and nobody in the house may breathe before the first line. "
        "Walk to the mark, look up, count to three, and speak as though the last row were beside "
        "you. When the lights go down, wait for the applause.")


def measure():
    with serving.Folder() as folder:
        speech = folder.path / "speech.wav"
        serving.run(["flite", "-voice", "slt", "-t", TEXT, "-o", speech])
        said = serving.run(serving.pinned(serving.SERVER_CORE, [serving.BUILD / "face", speech]))
    lines = ["| character | size | drawing | colours | VP8 | Opus | sum, ms | sessions a core | kbit/s |",
             "|---|---|---|---|---|---|---|---|---|"]
    for line in said.splitlines():
        name, size, drawing, turning, encoding, sound, all_ms, kilobits = line.split()
        lines.append(f"| {name} | {size} | {drawing} | {turning} | {encoding} | {sound} | "
                     f"**{all_ms}** | {PICTURE_MS / float(all_ms):.1f} | {kilobits} |")
    return [*lines, "", "Processor time of one thread per picture of 40 ms, while the face speaks "
            "without a pause for 40 s, at 500 kbit/s."]
