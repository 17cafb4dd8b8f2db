"""The published Python server SDK, unmodified, against our server: only its two endpoints differ.

Run by tests/conform/run.py in a virtual environment that holds the SDK.
SPDX-License-Identifier: Apache-2.0
"""

import asyncio
import contextlib
import http.server
import math
import os
import subprocess
import threading
from datetime import datetime, timedelta, timezone

import spatius
from spatius import (
    AgoraEgressConfig,
    AudioFormat,
    AvatarSDKError,
    AvatarSDKErrorCode,
    LiveKitEgressConfig,
    OggOpusEncoderConfig,
    SessionTokenError,
    new_avatar_session,
)

import wire
from report import Skip, check, demand, demand_equal, run
from speech import Speech, front_center, front_center_at, recordings_at_16_khz, silence

CONSOLE = os.environ["SPATIUS_CONSOLE_ENDPOINT"]
INGRESS = os.environ["SPATIUS_INGRESS_ENDPOINT"]
API_KEY = os.environ["SPATIUS_API_KEY"]
APP_ID = os.environ["SPATIUS_APP_ID"]
AVATAR_ID = os.environ["SPATIUS_AVATAR_ID"]
OTHER_APP_ID = os.environ.get("CONFORM_OTHER_APP_ID", "")
TOKEN_USES = int(os.environ.get("CONFORM_TOKEN_USES", "1"))

PCM_RATES_HZ = (8000, 16000, 22050, 24000, 32000, 44100, 48000)
OPUS_RATES_HZ = (8000, 12000, 16000, 24000, 48000)
PATIENCE_S = 30


class Heard:
    """What the SDK hands to its application."""

    def __init__(self):
        self.animations = []
        self.errors = []
        self.closed = 0
        self.news = asyncio.Event()

    def on_frames(self, payload, is_last):
        animation = wire.read_animation(payload)
        demand(animation is not None, "a frame is no animation")
        demand_equal(animation.end, is_last, "the SDK and the wire differ on the end")
        self.animations.append(animation)
        self.news.set()

    def on_error(self, error):
        self.errors.append(error)
        self.news.set()

    def on_close(self):
        self.closed += 1
        self.news.set()

    def of(self, req_id):
        return [a for a in self.animations if a.req_id == req_id]

    async def until(self, holds, words):
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not holds():
            demand(not self.closed, f"closed while waiting for {words}: {self.errors}")
            left = deadline - asyncio.get_running_loop().time()
            demand(left > 0, f"waited {PATIENCE_S} s for {words}; errors: {self.errors}")
            self.news.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.news.wait(), left)

    async def until_end_of(self, req_id):
        await self.until(lambda: any(a.end for a in self.of(req_id)), f"the end of {req_id}")
        return self.of(req_id)


def session_of(heard, **changes):
    options = dict(
        api_key=API_KEY,
        app_id=APP_ID,
        avatar_id=AVATAR_ID,
        console_endpoint_url=CONSOLE,
        ingress_endpoint_url=INGRESS,
        transport_frames=heard.on_frames,
        on_error=heard.on_error,
        on_close=heard.on_close,
    )
    options.update(changes)
    return new_avatar_session(**options)


@contextlib.asynccontextmanager
async def live(**changes):
    heard = Heard()
    async with session_of(heard, **changes) as session:
        yield session, heard
    demand_equal(heard.errors, [], "errors of a session that went well")
    demand(heard.closed >= 1, "on_close was not called")


async def say(session, data, chunk_bytes):
    """Sends as an application does: chunks, the last with the end mark."""
    *most, last = [data[at : at + chunk_bytes] for at in range(0, len(data), chunk_bytes)]
    for chunk in most:
        await session.send_audio(chunk, end=False)
    return await session.send_audio(last, end=True)


def chunk_of(speech):
    return speech.rate_hz // 10 * 2


def jaw_of(animations):
    return [frame[wire.JAW_POSE][0] for a in animations for frame in a.keyframes]


def spread(values):
    return max(values) - min(values) if values else 0.0


def correlation(a, b):
    count = min(len(a), len(b))
    mean_a, mean_b = sum(a[:count]) / count, sum(b[:count]) / count
    da, db = [x - mean_a for x in a[:count]], [x - mean_b for x in b[:count]]
    return sum(x * y for x, y in zip(da, db)) / math.sqrt(
        sum(x * x for x in da) * sum(y * y for y in db) + 1e-30
    )


def check_motion(animations, wanted, words="motion"):
    """Frames add up, the end stands on the last message and only there, every face is whole."""
    demand_equal(sum(len(a.keyframes) for a in animations), wanted, f"{words}: keyframes")
    demand_equal([a.end for a in animations], [False] * (len(animations) - 1) + [True],
                 f"{words}: end marks")
    demand(len({a.connection_id for a in animations}) == 1, f"{words}: connection ids differ")
    for animation in animations:
        for frame in animation.keyframes:
            lengths = {number: len(values) for number, values in frame.items()}
            demand_equal(lengths, wire.FLAME_LENGTHS, f"{words}: lengths of a face")
            demand(all(math.isfinite(v) for values in frame.values() for v in values),
                   f"{words}: a value is not finite")


def check_speech(animations, speech, words="motion"):
    check_motion(animations, speech.frames, words)
    jaw = jaw_of(animations)
    demand(spread(jaw) > 0.02, f"{words}: the jaw moves by only {spread(jaw):.4f} rad")


async def speak(speech, **changes):
    async with live(sample_rate=speech.rate_hz, **changes) as (session, heard):
        return await heard.until_end_of(await say(session, speech.pcm, chunk_of(speech)))


@contextlib.contextmanager
def refused(code, phase, http_status=None, words=""):
    try:
        yield
    except AvatarSDKError as error:
        told = f"{error.code.value} (HTTP {error.http_status}), {error.server_detail!r}"
        demand(error.code == code, f"{told}; wanted {code.value}")
        demand_equal(error.phase, phase, told)
        demand(http_status in (None, error.http_status), f"{told}; wanted HTTP {http_status}")
        demand(words.lower() in (error.server_detail or "").lower(), f"{told}; wanted {words!r}")
    else:
        raise AssertionError(f"was not refused; wanted {code.value}")


async def refused_at_start(code, phase, http_status=None, words="", token=None, **changes):
    session = session_of(Heard(), **changes)
    try:
        await session.init()
        if token is not None:
            session._session_token = token  # as the SDK's own tests put a foreign token in
        with refused(code, phase, http_status, words):
            await session.start()
    finally:
        await session.close()


CONNECT = "websocket_connect"
HANDSHAKE = "websocket_handshake"


@check("header authentication: recorded speech at 48 kHz comes back as whole faces")
async def _():
    check_speech(await speak(front_center()), front_center())


@check("query authentication, as web clients do it")
async def _():
    check_speech(await speak(front_center_at(16000), use_query_auth=True), front_center_at(16000))


for _rate_hz in PCM_RATES_HZ:

    @check(f"PCM at {_rate_hz} Hz")
    async def _(rate_hz=_rate_hz):
        check_speech(await speak(front_center_at(rate_hz)), front_center_at(rate_hz))


@check("the jaw at 16 kHz follows the jaw at 48 kHz (correlation over 0.9)")
async def _():
    low, high = await speak(front_center_at(16000)), await speak(front_center())
    likeness = correlation(jaw_of(low), jaw_of(high))
    demand(likeness > 0.9, f"correlation {likeness:.3f}")


@check("the jaw rests in silence")
async def _():
    still = await speak(silence(16000, 2.0))
    check_motion(still, 50)
    moving = await speak(front_center_at(16000))
    demand(spread(jaw_of(still)) < spread(jaw_of(moving)) / 5,
           f"silence moves the jaw by {spread(jaw_of(still)):.4f} rad")


@check("recorded sentences at 16 kHz, one after the other on one connection")
async def _():
    sentences = recordings_at_16_khz()
    async with live(sample_rate=16000) as (session, heard):
        req_ids = []
        for number, speech in enumerate(sentences):
            req_id = await say(session, speech.pcm, chunk_of(speech))
            check_speech(await heard.until_end_of(req_id), speech, f"sentence {number}")
            req_ids.append(req_id)
        demand_equal(len(set(req_ids)), len(sentences), "request ids")
        demand_equal({a.req_id for a in heard.animations}, set(req_ids), "ids of the frames")


@check("fifty utterances on one connection")
async def _():
    word = Speech(16000, front_center_at(16000).samples[: 16000 // 2])
    async with live(sample_rate=16000) as (session, heard):
        for number in range(50):
            req_id = await say(session, word.pcm, chunk_of(word))
            check_motion(await heard.until_end_of(req_id), word.frames, f"utterance {number}")


@check("utterances sent without waiting for the faces of the one before")
async def _():
    speech = front_center_at(16000)
    async with live(sample_rate=16000) as (session, heard):
        req_ids = [await say(session, speech.pcm, chunk_of(speech)) for _ in range(6)]
        for req_id in req_ids:
            check_speech(await heard.until_end_of(req_id), speech, req_id)


@check("a clip of twenty seconds at 48 kHz in a single message of 2 MB")
async def _():
    speech = front_center().times(14)
    async with live(sample_rate=48000) as (session, heard):
        req_id = await session.send_audio(speech.pcm, end=True)
        check_speech(await heard.until_end_of(req_id), speech)


@check("PCM cut inside its samples makes the same faces as PCM cut between them")
async def _():
    speech = front_center_at(16000)
    seed = {"extra_params": {"stagedoor.seed": "7"}, "sample_rate": 16000}
    async with live(**seed) as (session, heard):
        odd = await heard.until_end_of(await say(session, speech.pcm, 1001))
    async with live(**seed) as (session, heard):
        even = await heard.until_end_of(await say(session, speech.pcm, 3200))
    check_speech(odd, speech)
    faces = [[frame for a in one for frame in a.keyframes] for one in (odd, even)]
    demand(faces[0] == faces[1], "the faces differ")


@check("an utterance without any sound ends at once, without faces")
async def _():
    async with live(sample_rate=16000) as (session, heard):
        check_motion(await heard.until_end_of(await session.send_audio(b"", end=True)), 0)


@check("extra parameters: named blendshapes stand beside the keyframes, one for one")
async def _():
    speech = front_center_at(16000)
    async with live(sample_rate=16000,
                    extra_params={"stagedoor.blendshapes": "arkit52"}) as (session, heard):
        animations = await heard.until_end_of(await say(session, speech.pcm, chunk_of(speech)))
    check_speech(animations, speech)
    names = [name for a in animations for name in a.names]
    demand_equal(len(names), 57, "names")
    demand(len(set(names)) == 57 and "jawOpen" in names, f"names are {names}")
    demand_equal([len(a.named) for a in animations], [len(a.keyframes) for a in animations],
                 "named faces and keyframes")
    jaw_open = [face[names.index("jawOpen")] for a in animations for face in a.named]
    demand(min(jaw_open) >= 0 and max(jaw_open) <= 1 and spread(jaw_open) > 0.1,
           f"jawOpen goes from {min(jaw_open)} to {max(jaw_open)}")
    likeness = correlation(jaw_open, jaw_of(animations))
    demand(likeness > 0.9, f"jawOpen and the jaw's angle correlate by {likeness:.3f}")


@check("unknown extra parameters are ignored")
async def _():
    check_speech(await speak(front_center_at(16000), extra_params={"somebody.elses": "wish"}),
                 front_center_at(16000))


for _rate_hz in OPUS_RATES_HZ:

    @check(f"Ogg Opus at {_rate_hz} Hz, encoded by the SDK")
    async def _(rate_hz=_rate_hz):
        speech = front_center_at(rate_hz)
        check_speech(await speak(speech, audio_format=AudioFormat.OGG_OPUS,
                                 ogg_opus_encoder=OggOpusEncoderConfig()), speech)


for _frame_ms in (10, 40, 60):

    @check(f"Ogg Opus in packets of {_frame_ms} ms, at 16 kbit/s")
    async def _(frame_ms=_frame_ms):
        speech = front_center_at(24000)
        encoder = OggOpusEncoderConfig(frame_duration_ms=frame_ms, application="audio")
        check_speech(await speak(speech, audio_format=AudioFormat.OGG_OPUS, bitrate=16000,
                                 ogg_opus_encoder=encoder), speech)


@check("Ogg Opus and PCM of the same speech move the jaw alike (correlation over 0.9)")
async def _():
    speech = front_center_at(24000)
    pcm = await speak(speech)
    opus = await speak(speech, audio_format=AudioFormat.OGG_OPUS,
                       ogg_opus_encoder=OggOpusEncoderConfig())
    likeness = correlation(jaw_of(pcm), jaw_of(opus))
    demand(likeness > 0.9, f"correlation {likeness:.3f}")


@check("several Ogg Opus utterances on one connection, each a stream of its own")
async def _():
    speech = front_center_at(16000)
    async with live(sample_rate=16000, audio_format=AudioFormat.OGG_OPUS,
                    ogg_opus_encoder=OggOpusEncoderConfig()) as (session, heard):
        for number in range(5):
            req_id = await say(session, speech.pcm, chunk_of(speech))
            check_speech(await heard.until_end_of(req_id), speech, f"utterance {number}")


@check("a stream of opusenc, cut anywhere, ended by an empty message")
async def _():
    speech = front_center()
    try:
        made = subprocess.run(["opusenc", "--quiet", "--raw", "--raw-chan", "1", "--raw-rate",
                               "48000", "-", "-"],
                              input=speech.pcm, capture_output=True, check=True)
    except FileNotFoundError:
        raise Skip("the package opus-tools is not installed") from None
    for chunk in (len(made.stdout), 4096, 17):
        async with live(sample_rate=48000, audio_format=AudioFormat.OGG_OPUS) as (session, heard):
            for at in range(0, len(made.stdout), chunk):
                await session.send_audio(made.stdout[at : at + chunk], end=False)
            req_id = await session.send_audio(b"", end=True)
            check_speech(await heard.until_end_of(req_id), speech, f"chunks of {chunk}")


@check("bytes that are no Ogg Opus: an error for the request, and the session goes on")
async def _():
    heard = Heard()
    async with session_of(heard, sample_rate=16000, audio_format=AudioFormat.OGG_OPUS) as session:
        req_id = await session.send_audio(b"RIFF" + bytes(4000), end=True)
        await heard.until(lambda: heard.errors, "the error")
        error = heard.errors[0]
        demand_equal(error.code, AvatarSDKErrorCode.invalidRequest, f"{error!r}")
        demand_equal(error.req_id, req_id, "request of the error")
        demand("ogg opus" in error.server_detail.lower(), f"words are {error.server_detail!r}")
        await heard.until_end_of(req_id)
        encoder = spatius.audio_encoder.OggOpusStreamEncoder(
            sample_rate=16000, bitrate=0, frame_duration_ms=20, application="voip",
            collect_encoded_output=False)
        speech = front_center_at(16000)
        stream = encoder.encode(speech.pcm, end=True).payload
        check_speech(await heard.until_end_of(await session.send_audio(stream, end=True)), speech)


@check("interrupt: the request ends without further faces, and the next one is whole")
async def _():
    speech = front_center_at(16000).times(4)
    async with live(sample_rate=16000) as (session, heard):
        half = len(speech.pcm) // 4 * 2
        first = await session.send_audio(speech.pcm[:half], end=False)
        await heard.until(lambda: heard.of(first), "the first faces")
        demand_equal(await session.interrupt(), first, "the interrupted request")
        animations = await heard.until_end_of(first)
        demand(sum(len(a.keyframes) for a in animations) <= speech.frames // 2 + 1,
               "faces of sound that was not sent")
        seen = len(heard.of(first))
        second = await say(session, speech.pcm, chunk_of(speech))
        demand(second != first, "a new request has the interrupted one's id")
        check_speech(await heard.until_end_of(second), speech, "the next request")
        demand_equal(len(heard.of(first)), seen, "messages of the interrupted request")


@check("interrupt of a request that has ended does no harm")
async def _():
    speech = front_center_at(16000)
    async with live(sample_rate=16000) as (session, heard):
        for _ in range(2):
            req_id = await say(session, speech.pcm, chunk_of(speech))
            check_speech(await heard.until_end_of(req_id), speech)
            demand_equal(await session.interrupt(), req_id, "the interrupted request")


@check("eight sessions side by side")
async def _():
    speech = front_center_at(16000)
    for animations in await asyncio.gather(*(speak(speech) for _ in range(8))):
        check_speech(animations, speech)


@contextlib.asynccontextmanager
async def prewarmed():
    """The SDK keeps a token that it has fetched ahead, and opens every session with it."""
    warm = await spatius.prewarm(app_id=APP_ID, api_key=API_KEY, console_endpoint_url=CONSOLE,
                                 ingress_endpoint_url=INGRESS, prefetch_session_token=True)
    try:
        demand(warm.session_token_prefetched, f"no token was fetched: {warm}")
        yield
    finally:
        spatius.token_cache.clear_cached_session_tokens()


@check("prewarm: a token fetched ahead opens a session")
async def _():
    async with prewarmed():
        check_speech(await speak(front_center_at(16000)), front_center_at(16000))


@check("prewarm: a token fetched ahead opens as many sessions as the app allows, and no more")
async def _():
    async with prewarmed():
        for _ in range(TOKEN_USES):
            check_speech(await speak(front_center_at(16000)), front_center_at(16000))
        await refused_at_start(AvatarSDKErrorCode.sessionTokenInvalid, CONNECT, 400, "used")


@check("a token that is valid for seconds opens a session that outlives it")
async def _():
    speech = front_center_at(16000)
    ends = datetime.now(timezone.utc) + timedelta(seconds=3)
    async with live(sample_rate=16000, expire_at=ends) as (session, heard):
        while datetime.now(timezone.utc) < ends + timedelta(seconds=1):
            req_id = await say(session, speech.pcm, chunk_of(speech))
            check_speech(await heard.until_end_of(req_id), speech)
            await asyncio.sleep(0.2)


async def _mint_refused(http_status, words, **changes):
    session = session_of(Heard(), **changes)
    try:
        with refused(AvatarSDKErrorCode.invalidRequest, "session_token", http_status, words):
            await session.init()
    finally:
        await session.close()


@check("bad API key: refused with 401 as an invalid request")
async def _():
    await _mint_refused(401, "API key", api_key="sk-this-key-was-never-issued")


@check("API key with a typing error: refused with 401 as an invalid request")
async def _():
    last = "A" if API_KEY[-1] != "A" else "B"
    await _mint_refused(401, "API key", api_key=API_KEY[:-1] + last)


@check("expiry in the past: no token")
async def _():
    past = datetime.now(timezone.utc) - timedelta(minutes=1)
    await _mint_refused(400, "future", expire_at=past)


@check("expiry more than a day ahead: no token")
async def _():
    far = datetime.now(timezone.utc) + timedelta(hours=25)
    await _mint_refused(400, "", expire_at=far)


@check("a token that is none: 400, exactly the vendor's body")
async def _():
    session = session_of(Heard(), app_id="unknown-app", avatar_id="unknown-avatar")
    session._session_token = "not-a-token"
    try:
        await session.start()
    except AvatarSDKError as error:
        demand_equal(error.code, AvatarSDKErrorCode.sessionTokenInvalid, f"{error!r}")
        demand_equal(error.http_status, 400, "status")
        demand_equal(error.raw_body, '{"message":"Invalid session token"}\n', "body")
    else:
        raise AssertionError("was not refused")
    finally:
        await session.close()


@check("expired token: sessionTokenExpired")
async def _():
    ends = datetime.now(timezone.utc) + timedelta(seconds=2)
    session = session_of(Heard(), expire_at=ends)
    try:
        await session.init()
        await asyncio.sleep(max((ends - datetime.now(timezone.utc)).total_seconds(), 0) + 0.1)
        with refused(AvatarSDKErrorCode.sessionTokenExpired, CONNECT, 401):
            await session.start()
    finally:
        await session.close()


@check("spent token: sessionTokenInvalid, and the words say why")
async def _():
    demand_equal(TOKEN_USES, 1, "uses of a token on this server")
    async with live(sample_rate=16000) as (session, _):
        spent = session._session_token
    await refused_at_start(AvatarSDKErrorCode.sessionTokenInvalid, CONNECT, 400, "used",
                           token=spent)


@check("of simultaneous uses of one token exactly one is let in")
async def _():
    demand_equal(TOKEN_USES, 1, "uses of a token on this server")
    first = session_of(Heard())
    await first.init()
    sessions = [first] + [session_of(Heard()) for _ in range(7)]
    for session in sessions:
        session._session_token = first._session_token
    outcomes = await asyncio.gather(*(s.start() for s in sessions), return_exceptions=True)
    await asyncio.gather(*(s.close() for s in sessions))
    demand_equal(sum(isinstance(outcome, str) for outcome in outcomes), 1, f"let in: {outcomes}")


@check("unknown app: appIDUnrecognized")
async def _():
    await refused_at_start(AvatarSDKErrorCode.appIDUnrecognized, CONNECT, 404,
                           app_id="no-such-app")


@check("token of another app: appIDMismatch")
async def _():
    if not OTHER_APP_ID:
        raise Skip("this server has one app")
    await refused_at_start(AvatarSDKErrorCode.appIDMismatch, CONNECT, 400, "app id mismatch",
                           app_id=OTHER_APP_ID)


for _avatar_id in ("no-such-avatar", "odd/id with blanks & signs?", "\u00fcnicode"):

    @check(f"unknown avatar {_avatar_id!r}: avatarNotFound")
    async def _(avatar_id=_avatar_id):
        await refused_at_start(AvatarSDKErrorCode.avatarNotFound, CONNECT, 404,
                               f"Avatar not found: {avatar_id}", avatar_id=avatar_id)


for _rate_hz, _format in ((11025, AudioFormat.PCM_S16LE), (96000, AudioFormat.PCM_S16LE),
                          (22050, AudioFormat.OGG_OPUS)):

    @check(f"unsupported rate {_rate_hz} Hz as {_format.value}: unsupportedSampleRate")
    async def _(rate_hz=_rate_hz, audio_format=_format):
        await refused_at_start(AvatarSDKErrorCode.unsupportedSampleRate, HANDSHAKE,
                               words="unsupported sample rate", sample_rate=rate_hz,
                               audio_format=audio_format)


@check("LiveKit egress, which this server does not do: egressUnavailable")
async def _():
    # Of the form that LiveKit's tokens have; what it says is never looked at here.
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhdmF0YXIifQ.c2lnbmF0dXJl"
    await refused_at_start(AvatarSDKErrorCode.egressUnavailable, HANDSHAKE, words="not configured",
                           livekit_egress=LiveKitEgressConfig(url="wss://livekit.invalid",
                                                              api_token=token, room_name="room"))


@check("LiveKit egress without credentials: invalidEgressConfig")
async def _():
    await refused_at_start(AvatarSDKErrorCode.invalidEgressConfig, HANDSHAKE,
                           words="missing livekit credentials",
                           livekit_egress=LiveKitEgressConfig(url="wss://livekit.invalid",
                                                              room_name="room"))


@check("Agora egress, which this server does not do: egressUnavailable")
async def _():
    await refused_at_start(AvatarSDKErrorCode.egressUnavailable, HANDSHAKE, words="not configured",
                           agora_egress=AgoraEgressConfig(channel_name="channel"))


@check("a refused handshake closes cleanly, and the same token is not needed again")
async def _():
    await refused_at_start(AvatarSDKErrorCode.unsupportedSampleRate, HANDSHAKE, sample_rate=1)
    check_speech(await speak(front_center_at(16000)), front_center_at(16000))


class _Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@check("with telemetry on, each request carries a trace context, which does no harm")
async def _():
    sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    spatius.shutdown_telemetry()
    spatius.configure_telemetry(f"http://127.0.0.1:{sink.server_port}")
    try:
        check_speech(await speak(front_center_at(16000)), front_center_at(16000))
    finally:
        await asyncio.to_thread(spatius.shutdown_telemetry)
        spatius.configure_telemetry("")
        sink.shutdown()


if __name__ == "__main__":
    # The SDK reports to its vendor by default; its own switch turns that off.
    spatius.configure_telemetry("")
    run("python")
