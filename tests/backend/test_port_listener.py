"""One published port: what its spare tunnel saves, and what neither a dead tunnel nor a close may cost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from typing import Any, cast

import aiohttp

from sockerless.backend.port_listener import ANSWER_TIMEOUT_S, PortListener, bind
from tests.backend.rig import eventually


class FakeTunnel:
    """Answers the port that it is asked for, unless it is dead, and then repeats what it is sent."""

    def __init__(self, *, dead: bool = False) -> None:
        self.dead, self.closed, self.asked = dead, False, 0
        self.messages: asyncio.Queue[aiohttp.WSMessage] = asyncio.Queue()

    async def send_str(self, text: str) -> None:
        if not self.dead:
            self.asked += "port" in text
            answer = text if "eof" in text else json.dumps({"ok": {}})
            self.messages.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, answer, None))

    async def send_bytes(self, data: bytes) -> None:
        self.messages.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, data, None))

    async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:
        return await asyncio.wait_for(self.messages.get(), timeout)

    def __aiter__(self) -> FakeTunnel:
        return self

    async def __anext__(self) -> aiohttp.WSMessage:
        return await self.receive()

    async def close(self) -> bool:
        self.closed = True
        return True


class Opened:
    """Opens tunnels, the first of them as told; all remembers them, and how often one was asked for."""

    def __init__(self, *first: FakeTunnel | None) -> None:
        self.first = list(first)
        self.all: list[FakeTunnel] = []
        self.asked = 0

    async def __call__(self) -> Any:
        self.asked += 1
        tunnel = self.first.pop(0) if self.first else FakeTunnel()
        if tunnel is None:
            await asyncio.Event().wait()
        self.all.append(cast(FakeTunnel, tunnel))
        return tunnel


async def listening(opened: Opened) -> tuple[PortListener, int]:
    bound = bind("127.0.0.1", 0)
    port: int = bound.getsockname()[1]
    listener = PortListener(bound, 7000, opened)
    await listener.start()
    return listener, port


async def talk(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_spare_tunnel_whose_peer_has_gone_costs_a_connection_little() -> None:
    opened = Opened(FakeTunnel(dead=True))
    listener, port = await listening(opened)
    async with asyncio.timeout(ANSWER_TIMEOUT_S / 3):
        assert await talk(port, b"hello") == b"hello"
    assert opened.all[0].closed
    await listener.close()


async def test_closing_ends_a_connection_that_waits_for_its_tunnel() -> None:
    opened = Opened(None, None)
    listener, port = await listening(opened)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await eventually(lambda: opened.asked == 2)
    await asyncio.wait_for(listener.close(), 5)
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert opened.asked == 2


async def test_a_spare_tunnel_that_opens_is_closed_with_its_listener() -> None:
    opened = Opened()
    listener, _ = await listening(opened)
    await eventually(lambda: len(opened.all) == 1)
    await listener.close()
    await eventually(lambda: opened.all[0].closed)


async def test_a_tunnel_carries_one_connection_after_the_other() -> None:
    opened = Opened()
    listener, port = await listening(opened)
    for number in range(5):
        assert await talk(port, b"hello %d" % number) == b"hello %d" % number
    assert sorted(tunnel.asked for tunnel in opened.all) == [0, 5]
    await listener.close()
    await eventually(lambda: all(tunnel.closed for tunnel in opened.all))


async def test_a_connection_that_breaks_off_takes_its_tunnel_with_it() -> None:
    opened = Opened()
    listener, port = await listening(opened)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    await eventually(lambda: any(tunnel.asked for tunnel in opened.all))
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    await eventually(lambda: next(tunnel for tunnel in opened.all if tunnel.asked).closed)
    assert await talk(port, b"the next one") == b"the next one"
    await listener.close()
