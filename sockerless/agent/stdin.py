"""The process's input: what attached clients send, written whole and in order to its pipe or terminal.

Law: input of a client whose connection broke is neither lost nor written twice, and its end is not taken for the end of
the client, which has GRACE_S to come back.
"""

from __future__ import annotations

import asyncio
import os

from sockerless.agent.descriptors import write_all

GRACE_S = 300.0
"""How long input for one client stays open without it: longer than a daemon needs to find its network again, or to be
started again."""


class Stdin:
    """One descriptor that several attached clients may write to. A process that no longer reads loses the rest.

    once: its end comes with that of the first client to end.
    """

    def __init__(self, descriptor: int, *, once: bool, grace_s: float = GRACE_S) -> None:
        self._descriptor: int | None = descriptor
        self._once = once
        self._grace_s = grace_s
        self._turn = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None
        self._clients: dict[str, Client] = {}
        self._connected: set[Client] = set()
        self._waiting: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    def client(self, client_id: str) -> Client:
        """The client of this id, which is connected now; "" is a new one each time."""
        client = self._clients.get(client_id) or Client(self)
        if client_id:
            self._clients[client_id] = client
        self._connected.add(client)
        self._stop_waiting()
        return client

    def client_lost(self, client: Client) -> None:
        """Its connection broke: unless it or another one comes within the grace, that was the end of it."""
        self._connected.discard(client)
        if self._once and not self._connected and self._descriptor is not None:
            self._stop_waiting()
            self._waiting = asyncio.get_running_loop().call_later(self._grace_s, self._give_up)

    async def client_left(self, client: Client) -> None:
        """It has gone for good."""
        self._connected.discard(client)
        self._clients = {known: one for known, one in self._clients.items() if one is not client}
        await self.client_ended()

    async def write(self, data: bytes) -> None:
        """Returns once the process has room for all of data, or its input is closed."""
        async with self._turn:
            if self._descriptor is None:
                return
            self._writing = asyncio.create_task(write_all(self._descriptor, data))
            try:
                await asyncio.wait([self._writing])
            finally:
                self._writing.cancel()
            if not self._writing.cancelled() and isinstance(self._writing.exception(), OSError):
                await self.close()  # EPIPE, EIO: nobody reads any more, which is the process's own choice

    async def client_ended(self) -> None:
        """A client sent its end or went away: the process sees the end of its input if it was to have one client."""
        if self._once:
            async with self._turn:
                await self.close()

    async def close(self) -> None:
        """Ends the input, and whatever is being written to it."""
        self._stop_waiting()
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        if self._writing is not None and not self._writing.done():
            self._writing.cancel()
            await asyncio.wait([self._writing])
        os.close(descriptor)

    def _give_up(self) -> None:
        self._ending = asyncio.create_task(self.client_ended())

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class Client:
    """One attached client's input over all its connections, of which only one is fed from at a time.

    taken: how many bytes of it are here, written or about to be.
    """

    def __init__(self, stdin: Stdin) -> None:
        self.taken = 0
        self._stdin = stdin
        self._writing: asyncio.Task[None] | None = None

    async def feed(self, data: bytes) -> None:
        """Takes data once what came before is written; cancelled before that, it has taken nothing."""
        await self._written()
        self.taken += len(data)
        self._writing = asyncio.create_task(self._stdin.write(data))

    async def end(self) -> None:
        """The client's input has ended; it may still take output."""
        await self._written()
        await self._stdin.client_ended()

    async def leave(self) -> None:
        """The client has gone for good."""
        await self._written()
        await self._stdin.client_left(self)

    def lose(self) -> None:
        """The connection broke; the client may come back on another one."""
        self._stdin.client_lost(self)

    async def _written(self) -> None:
        if self._writing is not None:
            await asyncio.wait([self._writing])
