"""The messages of api/motion.proto, written and read without a library.

Encoders return the bytes of a whole Message. decode() reads what a server sends and refuses what is
not in the wire format, too large or nested too deep.

SPDX-License-Identifier: Apache-2.0
"""

import array
import dataclasses
import struct
import sys

MESSAGE_BYTES_MAX = 4 << 20
FIELDS_MAX = 100_000

CONFIGURE_SESSION, CONFIRM_SESSION, AUDIO_INPUT, ERROR, ANIMATION, INTERRUPT = 1, 2, 3, 4, 5, 7
PCM, OGG_OPUS = 0, 1
LIVEKIT, AGORA = 1, 2


def varint(number):
    number &= (1 << 64) - 1  # a negative int32 is written with ten bytes
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number_field(field, number):
    return varint(field << 3) + varint(number) if number else b""


def bytes_field(field, data):
    if isinstance(data, str):
        data = data.encode()
    return varint(field << 3 | 2) + varint(len(data)) + data


def optional_bytes_field(field, data):
    return bytes_field(field, data) if data else b""


def map_field(field, entries):
    return b"".join(
        bytes_field(field, bytes_field(1, key) + bytes_field(2, value))
        for key, value in entries.items()
    )


def message(kind, field, body):
    return number_field(1, kind) + bytes_field(field, body)


def configure(
    rate_hz=16000,
    audio_format=PCM,
    extra=None,
    egress_type=0,
    livekit=None,
    agora=None,
    compression=0,
    bitrate=0,
):
    body = (
        number_field(1, rate_hz)
        + number_field(2, bitrate)
        + number_field(3, audio_format)
        + number_field(4, compression)
        + number_field(5, egress_type)
    )
    if livekit is not None:
        names = {
            "url": 1,
            "api_key": 2,
            "api_secret": 3,
            "room_name": 4,
            "publisher_id": 5,
            "api_token": 8,
        }
        body += bytes_field(
            6, b"".join(bytes_field(names[name], text) for name, text in livekit.items())
        )
    if agora is not None:
        names = {"channel_name": 1, "token": 2, "publisher_id": 4}
        body += bytes_field(
            7, b"".join(bytes_field(names[name], text) for name, text in agora.items())
        )
    return message(CONFIGURE_SESSION, 2, body + map_field(8, extra or {}))


def audio(req_id, data=b"", end=False):
    return message(
        AUDIO_INPUT,
        4,
        optional_bytes_field(1, req_id) + number_field(2, int(end)) + optional_bytes_field(3, data),
    )


def interrupt(req_id):
    return message(INTERRUPT, 8, optional_bytes_field(1, req_id))


def read_varint(data, at):
    number = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a varint that does not end")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def fields_of(data):
    """{field number: [value, ...]}; a value is a number or bytes."""
    data = bytes(data)
    if len(data) > MESSAGE_BYTES_MAX:
        raise ValueError("a message that is too large")
    found, at, count = {}, 0, 0
    while at < len(data):
        tag, at = read_varint(data, at)
        field, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = read_varint(data, at)
        elif kind in (1, 2, 5):
            size, at = (8, at) if kind == 1 else (4, at) if kind == 5 else read_varint(data, at)
            if size > len(data) - at:
                raise ValueError("a field that is longer than its message")
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"wire type {kind}")
        count += 1
        if not field or count > FIELDS_MAX:
            raise ValueError("field number 0, or too many fields")
        found.setdefault(field, []).append(value)
    return found


def text_of(fields, number):
    return fields.get(number, [b""])[-1].decode()


def floats_of(fields, number):
    values = array.array("f")
    for packed in fields.get(number, []):
        values.frombytes(packed)
    if sys.byteorder == "big":
        values.byteswap()
    return values


@dataclasses.dataclass
class Confirmation:
    connection_id: str


@dataclasses.dataclass
class Error:
    connection_id: str
    req_id: str
    code: int
    text: str


@dataclasses.dataclass
class Flame:
    translation: array.array
    rotation: array.array
    neck_pose: array.array
    jaw_pose: array.array
    eye_pose: array.array
    eye_lid: array.array
    expression: array.array
    wire: bytes  # as it came


@dataclasses.dataclass
class Named:
    names: list
    first_frame: int
    frames: list  # of float arrays


@dataclasses.dataclass
class Animation:
    connection_id: str
    req_id: str
    end: bool
    faces: list  # of Flame
    named: Named | None


def flame_of(data):
    fields = fields_of(data)
    return Flame(*(floats_of(fields, number) for number in range(1, 8)), wire=data)


def named_of(data):
    fields = fields_of(data)
    return Named(
        [name.decode() for name in fields.get(1, [])],
        fields.get(2, [0])[-1],
        [floats_of(fields_of(one), 1) for one in fields.get(3, [])],
    )


def animation_of(data):
    fields = fields_of(data)
    faces = [
        flame_of(one) for animation in fields.get(4, []) for one in fields_of(animation).get(1, [])
    ]
    named = named_of(fields[1000][-1]) if 1000 in fields else None
    return Animation(
        text_of(fields, 1), text_of(fields, 2), bool(fields.get(3, [0])[-1]), faces, named
    )


def int32_of(number):
    return struct.unpack("<i", struct.pack("<I", number & 0xFFFFFFFF))[0]


def error_of(data):
    fields = fields_of(data)
    return Error(
        text_of(fields, 1), text_of(fields, 2), int32_of(fields.get(3, [0])[-1]), text_of(fields, 4)
    )


def decode(data):
    """A server's Message: Confirmation, Error or Animation."""
    fields = fields_of(data)
    kind = fields.get(1, [0])[-1]
    readers = {
        CONFIRM_SESSION: (3, lambda body: Confirmation(text_of(fields_of(body), 1))),
        ERROR: (5, error_of),
        ANIMATION: (6, animation_of),
    }
    if kind not in readers:
        raise ValueError(f"a message of type {kind} from a server")
    number, read = readers[kind]
    return read(fields[number][-1])
