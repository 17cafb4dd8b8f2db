"""Minting beside a bare loop and nginx.

SPDX-License-Identifier: Apache-2.0
"""

import time

import http_load

CALL = http_load.Call(
    name="minting", script="mint.lua", path="/v1/console/session-tokens",
    request=lambda key: ({"X-Api-Key": key}, {"expireAt": int(time.time()) + 600}))


def measure():
    return http_load.measure(CALL)
