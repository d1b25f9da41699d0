"""Input of attached clients: whole and once, whatever their connections do; its end, and when it is not one."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator

import pytest

from sockerless.agent.stdin import GRACE_S, Stdin

PIPE_BYTES = 65_536


class Process:
    """The reading side of a process's input."""

    def __init__(self) -> None:
        self.output, self.input = os.pipe()
        os.set_blocking(self.output, False)
        os.set_blocking(self.input, False)

    async def read(self, count: int) -> bytes:
        """So many bytes, or what there is before the end."""
        data = b""
        async with asyncio.timeout(5):
            while len(data) < count:
                try:
                    part = os.read(self.output, count - len(data))
                except BlockingIOError:
                    await asyncio.sleep(0.005)
                    continue
                if not part:
                    break
                data += part
        return data

    def sees_the_end(self) -> bool:
        try:
            return os.read(self.output, 1) == b""
        except BlockingIOError:
            return False


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    one = Process()
    yield one
    os.close(one.output)


async def ends(process: Process) -> None:
    async with asyncio.timeout(5):
        while not process.sees_the_end():
            await asyncio.sleep(0.005)


async def test_what_is_taken_is_written_once_though_the_connection_breaks_in_the_middle_of_it(
    process: Process,
) -> None:
    stdin = Stdin(process.input, once=True)
    client = stdin.client("c")
    first, second = b"1" * (2 * PIPE_BYTES), b"2" * 1000
    await client.feed(first)
    blocked = asyncio.create_task(client.feed(second))
    await asyncio.sleep(0.05)
    blocked.cancel()
    await asyncio.gather(blocked, return_exceptions=True)
    client.lose()
    again = stdin.client("c")
    assert again.taken == len(first)
    reading = asyncio.create_task(process.read(len(first) + len(second)))
    await again.feed(second)
    assert await reading == first + second
    assert again.taken == len(first) + len(second)
    await stdin.close()


async def test_a_client_that_leaves_ends_input_for_one_client_and_no_other(process: Process) -> None:
    stdin = Stdin(process.input, once=False)
    await stdin.client("c").leave()
    assert not process.sees_the_end()
    once = Stdin(fcntl.fcntl(process.input, fcntl.F_DUPFD), once=True)
    await stdin.close()
    await once.client("c").leave()
    await ends(process)


async def test_a_lost_client_has_a_grace_to_come_back(process: Process) -> None:
    stdin = Stdin(process.input, once=True, grace_s=0.2)
    stdin.client("c").lose()
    client = stdin.client("c")
    await asyncio.sleep(0.4)
    assert not process.sees_the_end()
    client.lose()
    await ends(process)


async def test_another_client_takes_the_place_of_a_lost_one(process: Process) -> None:
    stdin = Stdin(process.input, once=True, grace_s=0.2)
    lost, other = stdin.client("c"), stdin.client("d")
    lost.lose()
    await asyncio.sleep(0.4)
    assert not process.sees_the_end()
    await other.leave()
    await ends(process)


async def test_input_for_many_clients_never_ends_by_a_lost_one(process: Process) -> None:
    stdin = Stdin(process.input, once=False, grace_s=0.0)
    stdin.client("").lose()
    await asyncio.sleep(0.1)
    assert not process.sees_the_end()
    await stdin.close()


async def test_a_client_that_has_left_is_not_known_any_more(process: Process) -> None:
    stdin = Stdin(process.input, once=False)
    client = stdin.client("c")
    await client.feed(b"abc")
    await client.leave()
    assert stdin.client("c").taken == 0
    await stdin.close()


def test_the_grace_outlasts_what_a_daemon_needs_to_notice_a_lost_agent() -> None:
    assert GRACE_S >= 300
