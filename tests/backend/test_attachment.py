"""One attached client: order, back-pressure, detach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import aiohttp
import pytest

from sockerless.backend.attachment import BUFFER_BYTES, Attachment
from sockerless.errors import Unavailable
from sockerless.wire import agent as wire
from sockerless.wire import stdcopy
from sockerless.wire.agent_output import StreamQuery


class FakeStream:
    """An agent's stream: messages to deliver, and what was sent to it."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks, self.taken = chunks, 0
        self.sent: list[bytes | str] = []
        self.closed = False

    def __aiter__(self) -> FakeStream:
        return self

    async def __anext__(self) -> aiohttp.WSMessage:
        if self.taken == len(self.chunks):
            raise StopAsyncIteration
        self.taken += 1
        return aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, self.chunks[self.taken - 1], None)

    async def send_bytes(self, data: bytes) -> None:
        self.sent.append(data)

    async def send_str(self, text: str) -> None:
        self.sent.append(text)

    async def close(self) -> None:
        self.closed = True

    async def abandon(self) -> None:
        self.sent.append("abandoned")


class Endless(FakeStream):
    """One that neither ends nor breaks."""

    async def __anext__(self) -> aiohttp.WSMessage:
        if self.taken == len(self.chunks):
            await asyncio.Event().wait()
        return await super().__anext__()


def attachment(*, tty: bool = False, keys: bytes = b"") -> Attachment:
    return Attachment(StreamQuery(stdin=True), tty=tty, live=True, detach_keys=keys)


async def everything(attached: Attachment) -> bytes:
    parts = []
    while part := await attached.read():
        parts.append(part)
    return b"".join(parts)


async def test_stdin_written_before_the_process_exists_arrives_once_it_does() -> None:
    attached, stream = attachment(), FakeStream([])
    writing = asyncio.create_task(attached.write(b"hi"))
    await asyncio.sleep(0)
    assert not writing.done()
    attached.connect(cast(Any, stream))
    await writing
    await attached.write_eof()
    assert stream.sent == [b"hi", wire.STDIN_EOF]


async def test_a_slow_client_stops_the_reading_until_the_process_has_ended() -> None:
    stream = FakeStream([b"x" * (BUFFER_BYTES // 2)] * 10)
    attached = attachment()
    attached.connect(cast(Any, stream))
    await asyncio.sleep(0.05)
    assert stream.taken == 3
    attached.release()
    await asyncio.wait_for(attached.drained.wait(), 5)
    assert len(await everything(attached)) == 5 * BUFFER_BYTES


async def test_output_read_late_is_complete_and_in_order() -> None:
    chunks = [str(number).encode() for number in range(1000)]
    attached = attachment()
    attached.connect(cast(Any, FakeStream(chunks)))
    assert await everything(attached) == b"".join(chunks)


async def test_detach_keys_end_the_clients_output_and_are_not_passed_on() -> None:
    attached, stream = attachment(tty=True, keys=b"\x10\x11"), FakeStream([])
    attached.connect(cast(Any, stream))
    await attached.write(b"ls\x10\x11")
    assert stream.sent == [b"ls"]
    assert await attached.read() == b""


async def test_a_client_of_a_start_that_failed_reads_the_end() -> None:
    attached = attachment()
    attached.release()
    assert await attached.read() == b""
    await attached.write(b"dropped, nobody can read it")


async def kept(*chunks: bytes, failure: Unavailable | None = None) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk
    if failure is not None:
        raise failure


async def test_kept_output_comes_before_live_output_whenever_that_comes() -> None:
    attached = attachment()
    attached.play(kept(b"old ", b"older "))
    assert await attached.read() == b"old older "
    attached.connect(cast(Any, FakeStream([b"new"])))
    assert await everything(attached) == b"new"
    at_once = attachment()
    at_once.play(kept(b"old "))
    at_once.connect(cast(Any, FakeStream([b"new"])))
    assert await everything(at_once) == b"old new"


async def test_kept_output_alone_ends_and_a_client_that_waits_for_a_start_that_never_comes_too() -> None:
    alone = Attachment(StreamQuery(), tty=False, live=False, detach_keys=b"")
    alone.play(kept(b"old"))
    assert await everything(alone) == b"old"
    waiting = attachment()
    waiting.play(kept(b"old"))
    waiting.release()
    assert await everything(waiting) == b"old"


@pytest.mark.parametrize(
    ("tty", "told"), [(False, stdcopy.encode(stdcopy.SYSTEM_ERROR, b"gone\r\n")), (True, b"gone\r\n")]
)
async def test_kept_output_that_cannot_be_had_is_told(tty: bool, told: bytes) -> None:
    attached = attachment(tty=tty)
    attached.play(kept(b"old", failure=Unavailable("gone")))
    assert await everything(attached) == b"old" + told


async def test_a_client_whose_stream_does_not_end_is_told_after_what_it_has() -> None:
    attached = attachment(tty=True)
    attached.connect(cast(Any, Endless([b"some"])))
    await asyncio.sleep(0.01)
    attached.fail("the rest is lost")
    assert attached.drained.is_set()
    assert await everything(attached) == b"somethe rest is lost\r\n"
    attached.fail("said once")
    assert await attached.read() == b""


async def test_an_abandoned_client_has_not_gone() -> None:
    attached, stream = attachment(), FakeStream([])
    attached.connect(cast(Any, stream))
    await attached.abandon()
    assert (stream.sent, stream.closed) == (["abandoned"], False)
