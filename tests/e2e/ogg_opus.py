"""Ogg Opus streams for tests: pages made here (RFC 3533, RFC 7845), speech by Debian's opusenc.

SPDX-License-Identifier: Apache-2.0
"""

import shutil
import struct
import subprocess

PRE_SKIP = 312
GRANULES_PER_SECOND = 48000
PACKET_GRANULES = 960  # 20 ms
# RFC 6716 3.1: CELT, full band, 20 ms, mono, one frame; and a frame that decodes to silence.
SILENT_PACKET = b"\xf8\xff\xfe"
BEGINS, ENDS = 2, 4


def crc_table():
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    return table


TABLE = crc_table()


def checksum(data):
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ TABLE[value >> 24 ^ byte]
    return value


def page(serial, number, flags, granule, packets):
    lacing = b"".join(
        b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets
    )
    head = (
        struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, serial, number, 0)
        + bytes([len(lacing)])
        + lacing
    )
    whole = head + b"".join(packets)
    return whole[:22] + struct.pack("<I", checksum(whole)) + whole[26:]


def head_packet(channels=1, magic=b"OpusHead"):
    return magic + struct.pack("<BBHIhB", 1, channels, PRE_SKIP, GRANULES_PER_SECOND, 0, 0)


def tags_packet():
    return b"OpusTags" + struct.pack("<I", 4) + b"test" + struct.pack("<I", 0)


def silent_stream(seconds, serial=77, packets_per_page=25, head=None):
    """The pages of a stream that holds exactly so much silence."""
    granules = round(seconds * GRANULES_PER_SECOND) + PRE_SKIP
    count = -(-granules // PACKET_GRANULES)
    pages = [
        page(serial, 0, BEGINS, 0, [head or head_packet()]),
        page(serial, 1, 0, 0, [tags_packet()]),
    ]
    for first in range(0, count, packets_per_page):
        last = min(first + packets_per_page, count)
        is_end = last == count
        pages.append(
            page(
                serial,
                len(pages),
                ENDS if is_end else 0,
                granules if is_end else last * PACKET_GRANULES,
                [SILENT_PACKET] * (last - first),
            )
        )
    return pages


def has_encoder():
    return shutil.which("opusenc") is not None


def encoded(wav_path, frame_millis=20):
    command = ["opusenc", "--quiet", "--framesize", str(frame_millis), str(wav_path), "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout
