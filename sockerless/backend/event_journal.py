"""The journal of events: kept in the store, followed by whoever asked for the stream.

Owns their order and who is waiting for the next one. A follower reads from the store at its own pace, so a slow one
costs no memory; one that is more than the store's bound behind loses the oldest. Knows no verb and no filter.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from sockerless.store.base import Store
from sockerless.types import Event

BATCH = 256


class EventJournal:
    """add() tells everybody; last() and read() are a follower's place, changed() its wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: set[asyncio.Future[None]] = set()

    def add(self, type: str, action: str, actor_id: str, attributes: Mapping[str, str]) -> None:
        """Something has happened now."""
        self._store.add_event(Event(type, action, actor_id, dict(attributes), time.time_ns()))
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def last(self) -> int:
        """The place behind everything that has happened."""
        return self._store.last_event()

    def read(self, after: int) -> list[Event]:
        """The next events behind a place, at most BATCH; [] when there are none yet."""
        return self._store.events(after, BATCH)

    async def changed(self) -> None:
        """Returns at the next event added after this call."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)
