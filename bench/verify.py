"""Verifying an API key over HTTP beside a bare loop and nginx.

SPDX-License-Identifier: Apache-2.0
"""

import http_load

CALL = http_load.Call(
    name="verifying", script="verify.lua", path="/v1/keys/verify",
    request=lambda key: ({"Authorization": f"Bearer {key}"}, {"key": key}))


def measure():
    return http_load.measure(CALL)
