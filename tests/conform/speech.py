"""Recorded human speech for the conformance programs, from Debian's own packages.

SPDX-License-Identifier: Apache-2.0
"""

import array
import glob
import math
import os
import wave
from functools import lru_cache

from report import Skip

ALSA = "/usr/share/sounds/alsa/"
POCKETSPHINX = "/usr/share/pocketsphinx/test/data/"


class Speech:
    """Mono 16-bit samples."""

    def __init__(self, rate_hz, samples):
        self.rate_hz = rate_hz
        self.samples = samples

    @property
    def pcm(self):
        return self.samples.tobytes()

    @property
    def seconds(self):
        return len(self.samples) / self.rate_hz

    @property
    def frames(self):
        """How many faces the server owes for it."""
        return len(self.samples) * 25 // self.rate_hz

    def at(self, rate_hz):
        """The same speech at another rate, band-limited, as long as before to the sample."""
        if rate_hz == self.rate_hz:
            return self
        step = self.rate_hz / rate_hz
        cutoff = min(1.0, 1 / step) * 0.9
        reach = 8 / cutoff
        count = len(self.samples) * rate_hz // self.rate_hz
        out = array.array("h", bytes(2 * count))
        for i in range(count):
            centre = i * step
            total = 0.0
            for at in range(max(0, math.ceil(centre - reach)),
                            min(len(self.samples), math.floor(centre + reach) + 1)):
                x = (at - centre) * cutoff
                window = 0.5 + 0.5 * math.cos(math.pi * x / 8)
                sinc = math.sin(math.pi * x) / (math.pi * x) if x else 1.0
                total += self.samples[at] * cutoff * window * sinc
            out[i] = max(-32768, min(32767, round(total)))
        return Speech(rate_hz, out)

    def times(self, count):
        return Speech(self.rate_hz, self.samples * count)


def silence(rate_hz, seconds):
    return Speech(rate_hz, array.array("h", bytes(2 * round(rate_hz * seconds))))


@lru_cache(maxsize=None)
def _read(path):
    if not os.path.exists(path):
        raise Skip(f"{path} is not installed")
    with wave.open(path) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
        return Speech(file.getframerate(), samples[:: file.getnchannels()])


def front_center():
    """A woman's "Front center", 1.4 s at 48 kHz (package alsa-utils)."""
    return _read(ALSA + "Front_Center.wav")


@lru_cache(maxsize=None)
def front_center_at(rate_hz):
    return front_center().at(rate_hz)


def recordings_at_16_khz():
    """Single sentences of several speakers (package pocketsphinx-testdata)."""
    paths = [path for folder in ("librivox", "cards")
             for path in sorted(glob.glob(f"{POCKETSPHINX}{folder}/*.wav"))]
    if not paths:
        raise Skip("the package pocketsphinx-testdata is not installed")
    return [speech for speech in map(_read, paths) if speech.rate_hz == 16000]
