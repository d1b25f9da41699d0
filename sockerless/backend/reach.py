"""Reaching a container's agent, for every verb that needs it."""

from __future__ import annotations

import asyncio

from sockerless.backend.agent_link import AgentLink
from sockerless.backend.context import Backend
from sockerless.errors import SockerlessError, Unavailable
from sockerless.types import Container

LINK_TIMEOUT_S = 10.0
NEXT_LINK_TIMEOUT_S = 30.0
"""How long a link that broke may take to be taken for broken, and to be followed by another."""


async def reachable(backend: Backend, container: Container) -> AgentLink:
    """The agent's link; Unavailable when there is none within LINK_TIMEOUT_S."""
    return await _reached(backend, container, None, LINK_TIMEOUT_S)


async def reachable_again(backend: Backend, container: Container, broken: AgentLink | None) -> AgentLink:
    """The link after one that broke (None: any); Unavailable when there is none within NEXT_LINK_TIMEOUT_S."""
    return await _reached(backend, container, broken, NEXT_LINK_TIMEOUT_S)


async def _reached(backend: Backend, container: Container, other_than: AgentLink | None, timeout_s: float) -> AgentLink:
    try:
        async with asyncio.timeout(timeout_s):
            return await backend.lives.of(container.id).linked(other_than=other_than)
    except (TimeoutError, SockerlessError) as error:
        raise Unavailable(f"the agent of container {container.id} cannot be reached: {error}") from error
