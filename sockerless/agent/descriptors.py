"""Waiting on file descriptors: whole reads and whole writes that block nobody but their caller.

Owns the two waits the event loop has no coroutine for. Descriptors are set non-blocking by whoever opens them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

READ_BYTES = 64 * 1024


async def write_all(descriptor: int, data: bytes) -> None:
    """Writes data whole, waiting while the other side is slow. OSError when the other side is gone."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            loop = asyncio.get_running_loop()
            await _ready(descriptor, loop.add_writer, loop.remove_writer)


async def read_to_end(descriptor: int) -> bytes:
    """Everything until the other side closes."""
    loop = asyncio.get_running_loop()
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            await _ready(descriptor, loop.add_reader, loop.remove_reader)
            continue
        if not part:
            return b"".join(parts)
        parts.append(part)


async def _ready(descriptor: int, add: Callable[..., Any], remove: Callable[[int], Any]) -> None:
    ready = asyncio.get_running_loop().create_future()
    add(descriptor, _settle, ready)
    try:
        await ready
    finally:
        remove(descriptor)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
