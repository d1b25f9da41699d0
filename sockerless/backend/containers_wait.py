"""docker wait: registered at once, answered at the process's end or the container's removal."""

from __future__ import annotations

import asyncio

from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.backend.live import WaitResult
from sockerless.errors import InvalidParameter

CONDITIONS = ("not-running", "next-exit", "removed")


def begin_wait(backend: Backend, reference: str, condition: str) -> asyncio.Future[WaitResult]:
    """Registers the waiter before it returns; awaiting the result may take as long as the container runs.

    condition: one of CONDITIONS ("" = not-running). InvalidParameter for any other.
    """
    condition = condition or "not-running"
    if condition not in CONDITIONS:
        raise InvalidParameter(f'invalid condition: "{condition}"')
    container = find(backend, reference)
    live = backend.lives.of(container.id)
    waiter: asyncio.Future[WaitResult] = asyncio.get_running_loop().create_future()
    if condition == "not-running" and container.state.status not in {"running", "paused", "restarting"}:
        waiter.set_result(WaitResult(container.state.exit_code))
    elif condition == "removed":
        live.removal_waiters.add(waiter)
    else:
        live.exit_waiters.add(waiter)
    waiter.add_done_callback(live.exit_waiters.discard)
    waiter.add_done_callback(live.removal_waiters.discard)
    return waiter
