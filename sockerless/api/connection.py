"""One client connection: HTTP until a handler hijacks it, raw bytes in both directions after.

Owns half-close and back-pressure. A client that has closed its sending side may still be reading, so the end of
its data never ends an answer by itself; it only sets `client_left`, which the handlers that wait look at (Go's
HTTP server cancels its request context at the same point). Knows no container and no path.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from sockerless.wire import hijack

MAX_HEADER_BYTES = 1 << 20
"""The longest request line or header field, as in Go's server (registry credentials travel in a header)."""
T = TypeVar("T")
_READ_HIGH_WATER = 256 * 1024
_BODY_HIGH_WATER = 512 * 1024
"""How much of a body is read ahead of the handler; twice as much may be waiting."""
_WRITE_PIECE = 64 * 1024


@dataclass(slots=True)
class Ahead:
    """What came behind the head of a request that may hijack: body_bytes still belong to the request."""

    body_bytes: int
    data: bytearray = field(default_factory=bytearray)


class Connection(web.RequestHandler):
    """aiohttp's HTTP protocol, except that the end of the client's data does not close the connection."""

    def __init__(self, server: web.Server, connections: set[Connection]) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # None is aiohttp's documented "no access log"
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            read_bufsize=_BODY_HIGH_WATER,
        )
        self.client_left = asyncio.Event()
        self.daemon_ends = False
        self.raw: RawStream | None = None
        self._connections = connections
        self._head = bytearray()
        self._ahead: Ahead | None = None
        connections.add(self)

    @property
    def may_be_hijacked(self) -> bool:
        """Whether what the client sends now is kept for a raw stream, so that no other request can follow."""
        return self._ahead is not None

    def data_received(self, data: bytes) -> None:
        """Holds back what follows a request that may hijack; aiohttp would read it as the next request.

        A head is given to aiohttp once it is complete.
        """
        if self._ahead is not None:
            self._split(data)
        elif self._is_idle() or self._head:
            self._head += data
            end = self._head.find(hijack.HEAD_END)
            if end >= 0 or len(self._head) > MAX_HEADER_BYTES or not self._head[:1].isalpha():
                whole, self._head = bytes(self._head), bytearray()
                self._begin(whole, end + len(hijack.HEAD_END))
        else:
            super().data_received(data)

    def _is_idle(self) -> bool:
        """Whether the next byte is a request's first: none was seen yet, or aiohttp waits for the next one."""
        return self._request_count == 0 or (self._waiter is not None and not self._waiter.done())

    def _begin(self, data: bytes, head_length: int) -> None:
        head = data[:head_length]
        if not hijack.may_hijack(head):
            super().data_received(data)
            return
        self._ahead = Ahead(hijack.body_bytes(head))
        super().data_received(head)
        self._split(data[head_length:])

    def _split(self, data: bytes) -> None:
        if self._ahead is None or not data:
            return
        body, rest = data[: self._ahead.body_bytes], data[self._ahead.body_bytes :]
        self._ahead.body_bytes -= len(body)
        self._ahead.data += rest
        if body:
            super().data_received(body)
        if len(self._ahead.data) > _READ_HIGH_WATER and self.transport is not None:
            self.transport.pause_reading()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Lets the request under way finish, then closes; closes at once when there is none."""
        self.client_left.set()
        if self._is_idle():
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
        if self._ahead is not None and self._ahead.data:
            self.raw.data_received(bytes(self._ahead.data))
        if self.client_left.is_set():
            self.raw.eof_received()
        return self.raw

    async def outlast(self, work: asyncio.Future[T]) -> T:
        """The work's result; ConnectionResetError (and the work cancelled) when the client leaves first."""
        left = asyncio.create_task(self.client_left.wait())
        either: set[asyncio.Future[Any]] = {work, left}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
        if work.cancelled():
            raise ConnectionResetError("the client has left")
        return work.result()

    def end(self) -> None:
        """The daemon is stopping: whoever waits for this client's sake stops waiting."""
        self.daemon_ends = True
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


class NoReply(web.StreamResponse):
    """What stands for a reply when the raw connection carried it, or when the client is gone: writes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> Any:
        """Writes no head."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Writes no end: the connection closes."""
