"""Reads the Motion Server's frames byte by byte, by the numbers of api/spatius.md alone, so that a
mistake in our schema cannot hide behind code generated from it.

SPDX-License-Identifier: Apache-2.0
"""

import struct
from dataclasses import dataclass, field

FLAME_LENGTHS = {1: 3, 2: 3, 3: 3, 4: 3, 5: 6, 6: 2, 7: 100}
JAW_POSE = 4
EXPRESSION = 7


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """The (number, value) pairs of a protobuf message, values as they are on the wire."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(data, at)
        elif kind == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
            if len(value) != size:
                raise ValueError("a field is longer than its message")
        elif kind == 5:
            value, at = data[at : at + 4], at + 4
        elif kind == 1:
            value, at = data[at : at + 8], at + 8
        else:
            raise ValueError(f"wire type {kind}")
        yield number, value


def _floats(data):
    return list(struct.unpack(f"<{len(data) // 4}f", data))


@dataclass
class Animation:
    """One message of type SERVER_RESPONSE_ANIMATION."""

    connection_id: str = ""
    req_id: str = ""
    end: bool = False
    keyframes: list = field(default_factory=list)  # each {field number: [floats]}
    names: list = field(default_factory=list)  # of our own named frames
    first_frame: int = 0
    named: list = field(default_factory=list)


def _keyframe(data):
    parts = {}
    for number, value in fields(data):
        parts.setdefault(number, []).extend(_floats(value))
    return parts


def _named(animation, data):
    for number, value in fields(data):
        if number == 1:
            animation.names.append(value.decode())
        elif number == 2:
            animation.first_frame = value
        elif number == 3:
            animation.named.append([f for _, packed in fields(value) for f in _floats(packed)])


def read_animation(payload):
    """The animation in a whole Message, or None if it is of another type."""
    message = dict(fields(payload))
    if message.get(1) != 5:
        return None
    animation = Animation()
    for number, value in fields(message[6]):
        if number == 1:
            animation.connection_id = value.decode()
        elif number == 2:
            animation.req_id = value.decode()
        elif number == 3:
            animation.end = bool(value)
        elif number == 4:
            animation.keyframes = [_keyframe(one) for n, one in fields(value) if n == 1]
        elif number == 1000:
            _named(animation, value)
    return animation
