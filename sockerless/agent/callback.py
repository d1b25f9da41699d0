"""Reverse dialling, the agent's side: one call to the daemon kept open, and a pipe for each connection it asks for.

Owns wire/callback.py here: when to call again, and the carrying of bytes between a pipe and the agent's own server,
which listens on a socket of this task only. Knows nothing of what the bytes mean. The outer TLS of a wss URL is not
verified: there is no CA in an arbitrary image, and the pinned TLS inside protects what passes (see wire/callback.py).
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from sockerless.agent.credentials import Credentials
from sockerless.agent.peers import Peers
from sockerless.wire import callback as wire
from sockerless.wire.agent import MAX_FRAME_BYTES

READ_BYTES = 256 * 1024
PING_INTERVAL_S, PING_TIMEOUT_S = 5.0, 25.0
"""A call that hears nothing for their sum is over; a network that is held for 20 s does not end it."""
FIRST_PAUSE_S, LARGEST_PAUSE_S, GROWTH = 0.1, 5.0, 1.6
CLOSE_S = 2.0


def pauses() -> Iterator[float]:
    """Seconds before the next attempt to call: growing, each between half and the whole of its step at random."""
    step_s = FIRST_PAUSE_S
    while True:
        yield step_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers, protects nothing
        step_s = min(step_s * GROWTH, LARGEST_PAUSE_S)


def private_socket() -> socket.socket:
    """A listening socket that nobody outside this network namespace reaches, at an abstract address of its own."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind("")
    listening.listen(128)
    return listening


class Callback:
    """Calls base until close(). door: the address of the agent's own server. notice: takes lines for the archive."""

    def __init__(self, credentials: Credentials, door: str, notice: Callable[[str], None]) -> None:
        self._base = credentials.callback_url
        self._agent_id = credentials.agent_id
        self._authorization = f"Bearer {wire.credential(credentials.token, credentials.agent_id)}"
        self._door = door
        self._notice = notice
        self._told = ""
        self._peers = Peers()
        self._pipes: set[asyncio.Task[None]] = set()
        self._calling = asyncio.create_task(self._call_for_ever())

    async def close(self) -> None:
        """Ends the call, once the pipes have carried what the server's own end left in them."""
        if self._pipes:
            await asyncio.wait(self._pipes, timeout=CLOSE_S)
        for task in (self._calling, *self._pipes):
            task.cancel()
        await asyncio.gather(self._calling, *self._pipes, return_exceptions=True)

    async def _call_for_ever(self) -> None:
        pause_s = pauses()
        while True:
            try:
                async with self._dial(wire.call_url(self._base, self._agent_id), PING_INTERVAL_S) as call:
                    self._told = ""
                    pause_s = pauses()
                    await self._serve(call)
            except (OSError, WebSocketException, TimeoutError) as error:
                self._tell(error)
            await asyncio.sleep(next(pause_s))

    async def _serve(self, call: ClientConnection) -> None:
        async for frame in call:
            if frame == wire.CALL_PROBE:
                await call.send(wire.CALL_ALIVE)
            elif (pipe_id := wire.asked_pipe(frame)) is not None:
                pipe = asyncio.create_task(self._carry(pipe_id))
                self._pipes.add(pipe)
                pipe.add_done_callback(self._pipes.discard)

    async def _carry(self, pipe_id: str) -> None:
        """One pipe's life. A pipe that cannot be opened is none: the daemon waits a bounded time for it."""
        try:
            async with self._dial(wire.pipe_url(self._base, self._agent_id, pipe_id), None) as pipe:
                self._peers.watch(pipe.transport)
                try:
                    await splice(pipe, self._door)
                finally:
                    self._peers.forget(pipe.transport)
        except (OSError, WebSocketException, TimeoutError) as error:
            self._tell(error)

    def _dial(self, url: str, ping_interval_s: float | None) -> connect:
        return connect(
            url,
            ssl=_unverified() if url.startswith("wss:") else None,
            additional_headers={"Authorization": self._authorization},
            user_agent_header=None,
            proxy=None,
            compression=None,
            ping_interval=ping_interval_s,
            ping_timeout=PING_TIMEOUT_S,
            close_timeout=CLOSE_S,
            max_size=MAX_FRAME_BYTES,
            max_queue=4,
            write_limit=512 * 1024,
        )

    def _tell(self, error: Exception) -> None:
        """Says in the archive why the daemon is not reached, once for each reason in a row."""
        status = error.response.status_code if isinstance(error, InvalidStatus) else None
        reason = f"it answers {status}" if status else str(error) or type(error).__name__
        if reason != self._told:
            self._told = reason
            self._notice(f"cannot call the daemon at {urlsplit(self._base).netloc}: {reason}; trying again")


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def splice(pipe: ClientConnection, door: str) -> None:
    """Carries bytes between pipe and a new connection to door until one of them has ended."""
    reader, writer = await asyncio.open_unix_connection(door, limit=READ_BYTES)
    inwards = asyncio.create_task(_inwards(pipe, writer))
    outwards = asyncio.create_task(_outwards(reader, pipe))
    try:
        await asyncio.wait([inwards, outwards], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (inwards, outwards):
            task.cancel()
        await asyncio.gather(inwards, outwards, return_exceptions=True)
        writer.close()


async def _inwards(pipe: ClientConnection, writer: asyncio.StreamWriter) -> None:
    try:
        async for frame in pipe:
            if isinstance(frame, bytes):
                writer.write(frame)
                await writer.drain()
    except (ConnectionClosed, OSError):
        return


async def _outwards(reader: asyncio.StreamReader, pipe: ClientConnection) -> None:
    try:
        while data := await reader.read(READ_BYTES):
            await pipe.send(data)
    except (ConnectionClosed, OSError):
        return
