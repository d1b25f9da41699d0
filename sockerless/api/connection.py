"""One client connection: HTTP until a handler hijacks it, raw bytes in both directions after.

Owns half-close and back-pressure. A client that has closed its sending side may still be reading, so the end of
its data never ends an answer by itself; it only sets `client_left`, which the handlers that wait look at (Go's
HTTP server cancels its request context at the same point). Knows no container and no path.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from aiohttp import web

MAX_HEADER_BYTES = 1 << 20
"""The longest request line or header field, as in Go's server (registry credentials travel in a header)."""
_READ_HIGH_WATER = 256 * 1024
_WRITE_PIECE = 64 * 1024


class Connection(web.RequestHandler):
    """aiohttp's HTTP protocol, except that the end of the client's data does not close the connection."""

    def __init__(self, server: web.Server, connections: set[Connection]) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # None is aiohttp's documented "no access log"
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )
        self.client_left = asyncio.Event()
        self.raw: RawStream | None = None
        self._connections = connections
        connections.add(self)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Lets the request under way finish, then closes; closes at once when there is none."""
        self.client_left.set()
        if self._waiter is not None and not self._waiter.done():
            self.force_close()
        else:
            self.close()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone for good."""
        self.client_left.set()
        self._connections.discard(self)
        super().connection_lost(exc)

    def hijack(self) -> RawStream:
        """Takes the connection from HTTP; bytes the client sent behind its request come first from read()."""
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        self.raw = RawStream(self, transport)
        transport.set_protocol(self.raw)
        self.set_parser(self.raw)  # type: ignore[arg-type]
        if self.client_left.is_set():
            self.raw.eof_received()
        return self.raw

    async def outlasts(self, work: asyncio.Future[Any]) -> bool:
        """Waits for the work; False (and the work cancelled) when the client left first."""
        left = asyncio.create_task(self.client_left.wait())
        try:
            await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
        if work.cancelled():
            return False
        work.result()
        return True

    def end(self) -> None:
        """The daemon is stopping: whoever waits for this client's sake stops waiting."""
        self.client_left.set()
        if self.raw is not None:
            self.raw.abort()


def connection_of(request: web.BaseRequest) -> Connection:
    """The connection a request came in on; TypeError when the application is not served by server.py."""
    if not isinstance(request.protocol, Connection):
        raise TypeError("this application must be served by sockerless.api.server")
    return request.protocol


class RawStream(asyncio.Protocol):
    """The hijacked connection. read() is the client's data, write() waits for a slow client, close() flushes."""

    def __init__(self, http: Connection, transport: asyncio.Transport) -> None:
        self._http = http
        self._transport = transport
        self._received: deque[bytes] = deque()
        self._received_bytes = 0
        self._eof = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self.lost = asyncio.Event()

    async def read(self) -> bytes:
        """The next bytes from the client; b"" once it has closed its sending side."""
        while not self._received and not self._eof:
            self._readable.clear()
            await self._readable.wait()
        if not self._received:
            return b""
        data = self._received.popleft()
        self._received_bytes -= len(data)
        if self._received_bytes <= _READ_HIGH_WATER and not self._eof:
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Sends data, waiting while the client does not read; ConnectionResetError once it is gone."""
        view = memoryview(data)
        for start in range(0, len(view), _WRITE_PIECE):
            await self._writable.wait()
            if self.lost.is_set() or self._transport.is_closing():
                raise ConnectionResetError("the client has left")
            self._transport.write(view[start : start + _WRITE_PIECE])

    def close(self) -> None:
        """Ends the connection after what was written has been sent."""
        self._transport.close()

    def abort(self) -> None:
        """Ends the connection now."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes from the client."""
        self._received.append(data)
        self._received_bytes += len(data)
        self._readable.set()
        if self._received_bytes > _READ_HIGH_WATER:
            self._transport.pause_reading()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """aiohttp: what it had received behind the request's head."""
        if data:
            self.data_received(data)
        return False, b""

    def feed_eof(self) -> None:
        """aiohttp: the connection is gone."""
        self._end_of_input()

    def eof_received(self) -> bool:
        """asyncio: the client closed its sending side, and may still read."""
        self._end_of_input()
        return True

    def _end_of_input(self) -> None:
        self._eof = True
        self._readable.set()

    def pause_writing(self) -> None:
        """asyncio: the client does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """asyncio: the client reads again."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone for good."""
        self.lost.set()
        self._end_of_input()
        self._writable.set()
        self._http.connection_lost(exc)


class Hijacked(web.StreamResponse):
    """What a handler returns after it answered on the raw connection: nothing more is written."""

    def __init__(self) -> None:
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> Any:
        """Writes no head: it was written already."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Writes no end: the connection's end is the end."""
