"""The fake agent's execs: cat repeats its input, hold waits to be ended or cut, anything else says hello."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.server import ServerConnection

from sockerless.wire import agent as wire
from sockerless.wire import stdcopy
from sockerless.wire.agent_exec import Ended, Exec, Refused, Started, decode_exec, encode


class FakeExecs:
    """asked: every exec. refusal: the answer to the next ones. states: answers to exec_state. told: frames of text."""

    def __init__(self) -> None:
        self.asked: list[Exec] = []
        self.refusal: Refused | None = None
        self.states: dict[str, dict[str, Any]] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self.told: list[str] = []
        self.held: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve(self, connection: ServerConnection) -> None:
        """One exec."""
        asked = decode_exec(await connection.recv())
        self.asked.append(asked)
        if self.refusal is not None:
            await connection.send(encode(self.refusal))
            return
        await connection.send(encode(Started(8)))
        code = await self._play(asked, connection)
        if code < 0:
            connection.transport.abort()
        else:
            await connection.send(encode(Ended(code)))

    async def _play(self, asked: Exec, connection: ServerConnection) -> int:
        match asked.process.argv:
            case ["cat"]:
                async for frame in connection:
                    if not isinstance(frame, bytes):
                        break
                    await connection.send(stdcopy.encode(stdcopy.STDOUT, frame))
                return 0
            case ["hold"]:
                listening = asyncio.create_task(self._listen(connection))
                await asyncio.wait({listening, self.held}, return_when=asyncio.FIRST_COMPLETED)
                listening.cancel()
                return self.held.result() if self.held.done() else -1
        await connection.send(b"hello\n" if asked.raw else stdcopy.encode(stdcopy.STDOUT, b"hello\n"))
        return 5

    async def _listen(self, connection: ServerConnection) -> None:
        async for frame in connection:
            if isinstance(frame, str):
                self.told.append(frame)

    def resize(self, exec: str, height: int, width: int) -> wire.Reply:
        """The answer to a resize, without its id."""
        if exec in self.states:
            return wire.Reply(0, error_kind="conflict", message="no such exec")
        self.sizes[exec] = (height, width)
        return wire.Reply(0)
