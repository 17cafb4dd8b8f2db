"""A WebSocket client that can also misbehave: it sends exactly the frames that it is told to.

open_websocket() returns a WebSocket where the server answers 101 and a Refusal otherwise. Every
wait has a time limit, and what is received a limit in size. Only the standard library is needed.

SPDX-License-Identifier: Apache-2.0
"""

import base64
import dataclasses
import hashlib
import os
import socket
import struct
import time

WAIT_SECONDS = 20
MESSAGE_BYTES_MAX = 4 << 20
HEAD_BYTES_MAX = 64 << 10

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Closed(Exception):
    """The connection has ended: with the peer's close code and reason, or with none of either."""

    def __init__(self, code=None, reason=""):
        super().__init__(f"closed with {code} {reason!r}")
        self.code = code
        self.reason = reason


@dataclasses.dataclass
class Refusal:
    status: int
    headers: dict  # names in lower case
    body: bytes


def upgrade_request(port, target, headers=(), version="13", key=None):
    """The bytes of an opening handshake; a header whose value is None is left out."""
    fields = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": version,
        "Sec-WebSocket-Key": key or base64.b64encode(os.urandom(16)).decode(),
    }
    fields.update(headers)
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode("latin-1")


class Wire:
    """A TCP connection with a buffer and a deadline for each wait."""

    def __init__(self, port, receive_buffer_bytes=None):
        self.tcp = socket.socket()
        if receive_buffer_bytes is not None:
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.tcp.settimeout(WAIT_SECONDS)
        try:
            self.tcp.connect(("127.0.0.1", port))
        except OSError:
            self.tcp.close()
            raise
        self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()

    def send(self, data):
        try:
            self.tcp.settimeout(WAIT_SECONDS)
            self.tcp.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise Closed() from None

    def _more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server said nothing in time")
        self.tcp.settimeout(left)
        try:
            data = self.tcp.recv(1 << 16)
        except ConnectionResetError:
            raise Closed() from None
        if not data:
            raise Closed()
        self._received += data

    def take(self, count, seconds=WAIT_SECONDS):
        deadline = time.monotonic() + seconds
        while len(self._received) < count:
            self._more(deadline)
        data = bytes(self._received[:count])
        del self._received[:count]
        return data

    def take_head(self, seconds=WAIT_SECONDS):
        """Status line and headers of an HTTP answer: (status, headers)."""
        deadline = time.monotonic() + seconds
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            if len(self._received) > HEAD_BYTES_MAX:
                raise ValueError("the head of the answer is too long")
            self._more(deadline)
        lines = bytes(self._received[:end]).decode("latin-1").split("\r\n")
        del self._received[: end + 4]
        headers = dict(
            (name.lower(), value.strip())
            for name, _, value in (line.partition(":") for line in lines[1:])
        )
        return int(lines[0].split()[1]), headers

    def take_answer(self, seconds=WAIT_SECONDS):
        status, headers = self.take_head(seconds)
        return Refusal(status, headers, self.take(int(headers.get("content-length", 0)), seconds))

    def wait_until_closed(self, seconds=WAIT_SECONDS):
        """Reads on until the server ends the connection; returns what came until then."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._more(deadline)
                if len(self._received) > MESSAGE_BYTES_MAX:
                    raise ValueError("the server says too much")
        except Closed:
            return bytes(self._received)

    def drop(self):
        self.tcp.close()


def frame(opcode, payload=b"", final=True, masked=True, reserved=0):
    first = (0x80 if final else 0) | reserved << 4 | opcode
    size = len(payload)
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head = bytes([first, mask_bit | size])
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    if not size:
        return head + mask
    # Exclusive or over one large number: quick enough for megabytes.
    repeated = (mask * (size // 4 + 1))[:size]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return head + mask + mixed.to_bytes(size, "big")


class WebSocket:
    def __init__(self, wire):
        self.wire = wire
        self.pongs = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.drop()

    def send(self, opcode, payload=b"", **how):
        self.wire.send(frame(opcode, payload, **how))

    def send_binary(self, payload):
        self.send(BINARY, payload)

    def send_text(self, text):
        self.send(TEXT, text.encode())

    def take_frame(self, seconds=WAIT_SECONDS):
        """(opcode, final, payload). The server's frames must be unmasked and without extensions."""
        first, second = self.wire.take(2, seconds)
        if first & 0x70 or second & 0x80:
            raise ValueError("the server sent a reserved bit or a mask")
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.wire.take(2, seconds))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.wire.take(8, seconds))
        if size > MESSAGE_BYTES_MAX:
            raise ValueError(f"the server sent a frame of {size} bytes")
        return first & 0x0F, bool(first & 0x80), self.wire.take(size, seconds)

    def take_message(self, seconds=WAIT_SECONDS):
        """The next message, of either kind; raises Closed at a close frame, which it answers."""
        whole = b""
        while True:
            opcode, final, payload = self.take_frame(seconds)
            if opcode == CLOSE:
                self._answer_close(payload)
            elif opcode == PING:
                self.send(PONG, payload)
            elif opcode == PONG:
                self.pongs += 1
            elif opcode in (BINARY, TEXT, CONTINUATION):
                whole += payload
                if len(whole) > MESSAGE_BYTES_MAX:
                    raise ValueError("the server sent a message that is too long")
                if final:
                    return whole
            else:
                raise ValueError(f"the server sent a frame with opcode {opcode}")

    def _answer_close(self, payload):
        try:
            self.send(CLOSE, payload[:2])
        except (OSError, Closed):
            pass  # It may have gone already.
        self.wire.drop()
        if len(payload) < 2:
            raise Closed(1005)
        raise Closed(struct.unpack("!H", payload[:2])[0], payload[2:].decode())

    def wait_until_closed(self, seconds=WAIT_SECONDS):
        """Reads on to the end; returns the Closed that tells how it ended."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self.take_message(max(deadline - time.monotonic(), 0.001))
        except Closed as closed:
            self.wire.drop()
            return closed

    def close(self, code=1000):
        """Says goodbye and waits for the answer."""
        self.send(CLOSE, struct.pack("!H", code))
        return self.wait_until_closed()


def open_websocket(port, target, headers=(), receive_buffer_bytes=None, **handshake):
    wire = Wire(port, receive_buffer_bytes)
    try:
        key = handshake.pop("key", None) or base64.b64encode(os.urandom(16)).decode()
        wire.send(upgrade_request(port, target, headers, key=key, **handshake))
        status, fields = wire.take_head()
        if status != 101:
            body = wire.take(int(fields.get("content-length", 0)))
            wire.drop()
            return Refusal(status, fields, body)
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        if fields.get("sec-websocket-accept") != base64.b64encode(digest).decode():
            raise ValueError("the server's Sec-WebSocket-Accept is wrong")
        return WebSocket(wire)
    except BaseException:
        wire.drop()
        raise
