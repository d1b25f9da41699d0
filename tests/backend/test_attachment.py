"""One attached client: order, back-pressure, detach."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import aiohttp

from sockerless.backend.attachment import BUFFER_BYTES, Attachment
from sockerless.wire import agent as wire


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


def attachment(*, tty: bool = False, keys: bytes = b"") -> Attachment:
    return Attachment(wire.StreamQuery(stdin=True), tty=tty, live=True, detach_keys=keys)


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
