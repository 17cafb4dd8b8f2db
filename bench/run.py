"""Runs the measurements that are named, or all, and writes build/bench/report.md.

SPDX-License-Identifier: Apache-2.0
"""

import sys
import time

import face
import idle
import jwt
import key_usage
import live_face
import live_face_attacked
import live_face_sessions
import machine
import mint
import motion
import rate_limits
import redemption
import revocation
import serving
import start
import verify
import verify_keys

MEASUREMENTS = {
    "mint": ("Minting over HTTP/1.1", mint.measure),
    "verify": ("Verifying an API key over HTTP/1.1", verify.measure),
    "verify_keys": ("Verifying API keys in batches", verify_keys.measure),
    "rate_limits": ("Rate limits", rate_limits.measure),
    "key_usage": ("Counting the calls of keys", key_usage.measure),
    "jwt": ("People's tokens", jwt.measure),
    "redemption": ("Durable single-use redemption", redemption.measure),
    "revocation": ("Revocation with live sessions", revocation.measure),
    "idle": ("Idle sessions", idle.measure),
    "motion": ("Motion", motion.measure),
    "face": ("A live face", face.measure),
    "live_face": ("Live faces: the bars, and how many a core performs", live_face.measure),
    "live_face_attacked": ("A live face while others misuse the server",
                           live_face_attacked.measure),
    "live_face_sessions": ("Two hundred live faces one after another",
                           live_face_sessions.measure),
    "start": ("Start with a full store", start.measure),
}


def main(names):
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"bench: no such measurement: {unknown[0]}; there are {', '.join(MEASUREMENTS)}",
              file=sys.stderr)
        return 2
    parts = [f"Machine: {machine.facts()}."]
    for name in names or MEASUREMENTS:
        title, measure = MEASUREMENTS[name]
        print(f"-- {name}", file=sys.stderr)
        began = time.monotonic()
        with machine.Quiet() as quiet:
            lines = measure()
        parts.append("\n".join([f"## {title}", "", *lines, "",
                                f"`./dev bench {name}`, {time.monotonic() - began:.0f} s; {quiet.text}."]))
        print("\n" + parts[-1] + "\n", flush=True)
    serving.WORK.mkdir(parents=True, exist_ok=True)
    (serving.WORK / "report.md").write_text("\n\n".join(["# Measurements", *parts]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
