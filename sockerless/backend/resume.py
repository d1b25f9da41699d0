"""Opening a stream of an agent again after its connection broke.

Law: an agent that cannot be reached is waited for as long as its task may live and the client may hope; nobody hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sockerless.backend.context import Backend
from sockerless.backend.supervise import TaskOver
from sockerless.errors import NotFound, Unavailable
from sockerless.types import Container

RESUME_TIMEOUT_S = 300.0
"""How long an agent is waited for: as long as it keeps the input of a client whose connection broke."""
FIRST_PAUSE_S, LARGEST_PAUSE_S = 0.05, 1.0
T = TypeVar("T")


async def reopened(
    backend: Backend,
    container: Container,
    open_again: Callable[[], Awaitable[T]],
    timeout_s: float = RESUME_TIMEOUT_S,
) -> T:
    """What open_again returns once it does not raise Unavailable any more.

    Unavailable when the task that serves container is over, or timeout_s are.
    """
    pause_s = FIRST_PAUSE_S
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                _require_task(backend, container)
                try:
                    return await open_again()
                except Unavailable:
                    await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LARGEST_PAUSE_S)
    except TimeoutError:
        raise Unavailable(f"its agent could not be reached again within {timeout_s:g} s") from None


def _require_task(backend: Backend, container: Container) -> None:
    """Unavailable unless the container is still served by the task it was served by."""
    try:
        task = backend.store.container(container.id).task
    except NotFound:
        raise Unavailable("it has been removed") from None
    if task is None or container.task is None or task.client_token != container.task.client_token:
        raise Unavailable("its task is over")
    error = backend.lives.of(container.id).link_error
    if isinstance(error, TaskOver):
        raise Unavailable(f"its task is over: {error}")
