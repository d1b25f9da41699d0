"""Doing again what failed for a reason that passes: a throttled call, a lost network, a full disk.

Owns the pauses. Law: what is done through this may be done twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

from sockerless.errors import SockerlessError

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LARGEST_PAUSE_S = 0.5, 30.0


def pauses_s() -> Iterator[float]:
    """Seconds to wait after each failure in a row: twice as long every time, up to LARGEST_PAUSE_S."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, LARGEST_PAUSE_S)


async def until_done(work: Callable[[], Awaitable[None]], what: str) -> None:
    """Returns once work has succeeded. what: for the log, as in "stop task X"."""
    for pause_s in pauses_s():
        try:
            return await work()
        except (SockerlessError, OSError) as error:
            log.warning("cannot %s, trying again in %g s: %s", what, pause_s, error)
        await asyncio.sleep(pause_s)
    raise AssertionError("an endless loop ended")
