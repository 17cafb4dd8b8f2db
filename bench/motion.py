"""Speed of motion from speech, and 100 utterances at once over real sockets in real time.

SPDX-License-Identifier: Apache-2.0
"""

import json
import wave

import machine
import serving

SESSIONS = 100
TEXT = ("The curtain rises at eight, and nobody in the house may breathe before the first line. "
        "Walk to the mark, look up, count to three, and speak as though the last row were beside "
        "you. When the lights go down, wait for the applause.")


def speech(folder):
    """A sentence of flite's as bare samples, and its rate."""
    file = folder.path / "speech.wav"
    serving.run(["flite", "-voice", "slt", "-t", TEXT, "-o", file])
    with wave.open(str(file)) as sound:
        samples, rate = sound.readframes(sound.getnframes()), sound.getframerate()
    raw = folder.path / "speech.pcm"
    raw.write_bytes(samples)
    return raw, rate, len(samples) / 2 / rate


def measure():
    alone = serving.run(serving.pinned(serving.SERVER_CORE, [serving.BUILD / "motion_speed"]))
    with serving.Folder() as folder:
        sound, rate, seconds = speech(folder)
        with folder.serve() as server:
            tokens = folder.mint(server.port, SESSIONS)
            before, memory = machine.cpu_seconds(server.pid), machine.resident_bytes(server.pid)
            said = serving.run(serving.pinned(
                serving.LOAD_CORE, folder.crowd("speak", server.port, tokens, sound, rate)))
            used = machine.cpu_seconds(server.pid) - before
            memory = machine.resident_bytes(server.pid) - memory
    outcome = json.loads(said)

    def three(name):
        return " / ".join(f"{outcome[name][which]:.1f}" for which in ("p50", "p99", "max"))

    return ["| p50 / p99 / max | ms |", "|---|---|",
            "| first frame after the sound that it needs was sent (its moment and 200 ms) | "
            f"**{three('first_frame_ms')}** |",
            f"| first frame after the begin of the utterance | {three('first_frame_from_begin_ms')} |",
            f"| every frame after the sound that it needs was sent | {three('frame_ms')} |",
            f"| the client's own lateness in sending | {three('client_late_ms')} |", "",
            f"{SESSIONS} utterances of {seconds:.1f} s at {rate} Hz at once, {outcome['over']} ended; "
            f"{outcome['frames']:,} of {outcome['frames_expected']:,} frames came, "
            f"{outcome['frames_late']} of them more than a frame (40 ms) behind. The server used "
            f"{used:.2f} s of one core, that is {SESSIONS * seconds / used:.0f} times real time with "
            f"sockets, framing and messages, and {memory / 2**20 / SESSIONS * 1024:.0f} KiB more "
            "memory an utterance.", "",
            "Motion alone, one thread:", "", "```", alone.rstrip(), "```"]
