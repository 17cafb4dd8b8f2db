"""Session tokens taken apart and put together otherwise: what an attacker would try.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import hashlib
import hmac
import json


def segment(value):
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def opened(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(header, payload, key):
    text = f"{header}.{payload}"
    return text + "." + segment(hmac.new(key, text.encode(), hashlib.sha256).digest())
