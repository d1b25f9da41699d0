"""Reaching a container's agent, for every verb that needs it."""

from __future__ import annotations

import asyncio

from sockerless.backend.agent_link import AgentLink
from sockerless.backend.context import Backend
from sockerless.errors import SockerlessError, Unavailable
from sockerless.types import Container

LINK_TIMEOUT_S = 10.0


async def reachable(backend: Backend, container: Container) -> AgentLink:
    """The agent's link; Unavailable when there is none within LINK_TIMEOUT_S."""
    try:
        async with asyncio.timeout(LINK_TIMEOUT_S):
            return await backend.lives.of(container.id).linked()
    except (TimeoutError, SockerlessError) as error:
        raise Unavailable(f"the agent of container {container.id} cannot be reached: {error}") from error
