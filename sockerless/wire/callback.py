"""Reverse dialling: where an agent calls the daemon, how it proves who it is, and what is said before bytes flow.

The agent keeps one *call* open, a WebSocket to BASE/v1/agents/AGENT_ID. When the daemon wants a connection, it says
so there (``ask_for_pipe``) and the agent opens a *pipe*, a WebSocket to BASE/v1/agents/AGENT_ID/pipes/PIPE_ID whose
binary frames are the bytes of one connection of wire/agent.py: TLS with the agent as its server, and WebSocket inside.
So both directions of dialling share all trust: the outer layers are only the way, and need no certificate that
anybody checks. Every upgrade carries ``Authorization: Bearer credential()``, which proves the agent without showing
its token to a hop without TLS. BASE is SOCKERLESS_CALLBACK_URL; a proxy may strip its path.

Knows no socket. Whoever reads a path or a frame that is none of these gets None.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import NamedTuple

ENV_CALLBACK_URL = "SOCKERLESS_CALLBACK_URL"
CALL_PROBE = '{"probe":true}'
"""Daemon to agent on a call: are you still there? The agent answers CALL_ALIVE."""
CALL_ALIVE = '{"alive":true}'

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_PATH = re.compile(r"(?:/[^?#]*)?/v1/agents/([0-9a-f]{32})(?:/pipes/([0-9a-f]{32}))?")
_PIPE_ID = re.compile(r"[0-9a-f]{32}")


class Called(NamedTuple):
    """What an agent opened: its call, or the pipe of that id."""

    agent_id: str
    pipe_id: str | None


def credential(token: str, agent_id: str) -> str:
    """What the agent shows when it calls: HMAC-SHA256 over its id with its token as the key, in hex."""
    return hmac.new(token.encode(), b"sockerless callback " + agent_id.encode(), hashlib.sha256).hexdigest()


def call_url(base: str, agent_id: str) -> str:
    """Where the agent keeps its call. base: http, https, ws or wss, perhaps with a path; ValueError for others."""
    scheme, separator, rest = base.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise ValueError(f"not a callback URL: {base!r}")
    return f"{_SCHEMES[scheme]}://{rest.rstrip('/')}/v1/agents/{agent_id}"


def pipe_url(base: str, agent_id: str, pipe_id: str) -> str:
    """Where the agent opens a pipe that it was asked for."""
    return f"{call_url(base, agent_id)}/pipes/{pipe_id}"


def parse_path(path: str) -> Called | None:
    """What a request's path (without query) opens, whatever prefix it has kept."""
    match = _PATH.fullmatch(path)
    return Called(match[1], match[2]) if match else None


def ask_for_pipe(pipe_id: str) -> str:
    """The text frame on a call that asks the agent for a pipe; pipe_id: 32 hex digits."""
    return json.dumps({"pipe": pipe_id}, separators=(",", ":"))


def asked_pipe(text: str | bytes) -> str | None:
    """The id of the pipe that a frame on a call asks for."""
    try:
        pipe_id = json.loads(text)["pipe"]
    except (ValueError, TypeError, KeyError):
        return None
    return pipe_id if isinstance(pipe_id, str) and _PIPE_ID.fullmatch(pipe_id) else None
