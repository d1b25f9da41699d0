"""The agent's credentials: taken from its environment and erased there, so that no process it starts can read them.

Owns the variables of wire/agent.py that start with SOCKERLESS_AGENT_, the callback URL of wire/callback.py, and the TLS
side made from them. The initial environment stays readable in /proc/1/environ for as long as the agent lives, unless
its memory is overwritten. Source: proc(5), fields 50 and 51 of /proc/pid/stat.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import MutableMapping
from dataclasses import dataclass

from sockerless.errors import InvalidParameter
from sockerless.wire import agent as protocol
from sockerless.wire.callback import ENV_CALLBACK_URL

PREFIX = "SOCKERLESS_AGENT_"
DEFAULT_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the agent was started with. token: compared with every request's bearer token.

    callback_url: where the daemon is to be called; "" when the daemon dials.
    """

    agent_id: str
    token: str
    certificate_pem: str
    key_pem: str
    patience_s: float
    callback_url: str = ""


def take(environment: MutableMapping[str, str]) -> Credentials:
    """The credentials in environment, which loses all the agent's variables. InvalidParameter names what is wrong."""
    own = {name: environment.pop(name) for name in list(environment) if _is_own(name)}
    required = (protocol.ENV_AGENT_ID, protocol.ENV_TOKEN, protocol.ENV_CERTIFICATE, protocol.ENV_KEY)
    missing = [name for name in required if not own.get(name)]
    if missing:
        raise InvalidParameter(f"{', '.join(missing)} not set: the agent is started by a sockerless daemon")
    agent_id, token, certificate_pem, key_pem = (own[name] for name in required)
    patience_s = _patience_s(own.get(protocol.ENV_PATIENCE_S, ""))
    return Credentials(agent_id, token, certificate_pem, key_pem, patience_s, own.get(ENV_CALLBACK_URL, ""))


def _is_own(name: str) -> bool:
    return name.startswith(PREFIX) or name == ENV_CALLBACK_URL


def _patience_s(text: str) -> float:
    try:
        return float(text) if text else DEFAULT_PATIENCE_S
    except ValueError:
        raise InvalidParameter(f"{protocol.ENV_PATIENCE_S} is not a number of seconds: {text!r}") from None


def erase_initial_environment() -> None:
    """Overwrites the agent's variables in the memory that /proc/self/environ shows."""
    with open("/proc/self/stat", "rb") as stat:
        after_name = stat.read().rpartition(b")")[2].split()
    start, end = int(after_name[47]), int(after_name[48])
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(start)
        block = memory.read(end - start)
        memory.seek(start)
        memory.write(without_own_entries(block))


def without_own_entries(block: bytes) -> bytes:
    """An environment block (entries ended by NUL) of the same length, the agent's own entries zeroed."""
    own = (PREFIX.encode(), f"{ENV_CALLBACK_URL}=".encode())
    entries = block.split(b"\0")
    return b"\0".join(bytes(len(entry)) if entry.startswith(own) else entry for entry in entries)


def server_context(credentials: Credentials) -> ssl.SSLContext:
    """The TLS server side: this certificate, TLS 1.3, no file left behind."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    descriptor = os.memfd_create("agent-credentials")
    try:
        os.write(descriptor, f"{credentials.certificate_pem}\n{credentials.key_pem}\n".encode())
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    return context
