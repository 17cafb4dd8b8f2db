"""The published LiveKit Agents plugin, unmodified, against our server.

The plugin asks for LiveKit egress, always. This server joins no rooms, so what can be checked is
that the plugin's own code reaches it by its endpoint settings alone, mints its token, and hears the
refusal that it knows how to tell its user.

Run by tests/conform/run.py in a virtual environment that holds the plugin.
SPDX-License-Identifier: Apache-2.0
"""

import asyncio
import logging
import os
import types

import spatius
from livekit.agents import AgentSession
from livekit.plugins import spatius as plugin
from livekit.plugins.spatius.avatar import SpatiusException

from report import check, demand, demand_equal, run


class Room:
    """As much of a LiveKit room as the plugin looks at before its session stands."""

    name = "conformance"
    local_participant = types.SimpleNamespace(identity="agent")

    def isconnected(self):
        return True

    def __getattr__(self, _):
        return lambda *args, **kwargs: None

    remote_participants = {}


async def refused_start(**changes):
    """What the plugin's session raises at its start, and what it was raised from."""
    avatar = plugin.AvatarSession(sample_rate=24000, **changes)
    agent = AgentSession()
    try:
        await avatar.start(agent, Room(), livekit_url="wss://livekit.invalid",
                           livekit_api_key="key", livekit_api_secret="secret" * 8)
    except SpatiusException as error:
        return error.__cause__
    finally:
        await avatar.aclose()
        await agent.aclose()
    raise AssertionError("the plugin's session started, though nobody can have joined its room")


@check("the plugin's session reaches us by its environment and is told that there is no egress")
async def _():
    cause = await refused_start()
    demand(isinstance(cause, spatius.AvatarSDKError), f"{cause!r}")
    demand_equal(cause.code, spatius.AvatarSDKErrorCode.egressUnavailable, f"{cause}")
    demand_equal(cause.phase, "websocket_handshake", f"{cause}")


@check("the plugin's session with PCM in place of its Ogg Opus is told the same")
async def _():
    cause = await refused_start(audio_format="pcm_s16le")
    demand_equal(cause.code, spatius.AvatarSDKErrorCode.egressUnavailable, f"{cause}")


@check("the plugin's session with a bad API key gets no token")
async def _():
    cause = await refused_start(api_key="sk-this-key-was-never-issued")
    demand(isinstance(cause, spatius.SessionTokenError), f"{cause!r}")
    demand_equal(cause.http_status, 401, f"{cause}")


@check("the plugin's session with an unknown avatar is told so")
async def _():
    cause = await refused_start(avatar_id="no-such-avatar")
    demand_equal(cause.code, spatius.AvatarSDKErrorCode.avatarNotFound, f"{cause}")


@check("the plugin's prewarm fetches a token ahead")
async def _():
    await asyncio.to_thread(plugin.prewarm, types.SimpleNamespace())
    token = spatius.token_cache.get_cached_session_token(
        api_key=os.environ["SPATIUS_API_KEY"], app_id=os.environ["SPATIUS_APP_ID"],
        console_endpoint_url=os.environ["SPATIUS_CONSOLE_ENDPOINT"])
    demand(token, "no token in the SDK's cache")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    spatius.configure_telemetry("")
    run("livekit")
