"""The daemon's side of reverse dialling, as the daemon has it, for agents in real containers."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web

from sockerless.api import agents
from sockerless.backend.agent_link import AgentLink, new_session
from sockerless.backend.callback import Callbacks, host_of
from sockerless.types import AgentCredentials
from tests.agent.container import new_credentials


class Daemon:
    """Listens on every address at port (0 until listen() chose one) and reaches agents through their calls."""

    def __init__(self) -> None:
        self.callbacks = Callbacks()
        self.session: aiohttp.ClientSession = new_session(self.callbacks)
        self.port = 0
        self.paths: list[str] = []
        self._listener: asyncio.Server | None = None
        self._server = web.Server(self._serve, access_log=None)

    async def listen(self) -> None:
        """Opens the port."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, "0.0.0.0", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Closes the port and every connection, as the end of the daemon does."""
        if self._listener is not None:
            self._listener.close()
            await self._server.shutdown(0.01)

    async def forget_everything(self) -> None:
        """The daemon dies and another one starts over the same records."""
        await self.close()
        await self.session.close()
        self.callbacks = Callbacks()
        self.session = new_session(self.callbacks)
        self._server = web.Server(self._serve, access_log=None)

    def link(self, credentials: AgentCredentials) -> AgentLink:
        """A link to the agent, which is expected from now on."""
        self.callbacks.expect(credentials)
        return AgentLink(self.session, host_of(credentials.agent_id), credentials)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.paths.append(request.path)
        return await agents.serve(request, self.callbacks)


@contextlib.asynccontextmanager
async def daemon() -> AsyncIterator[Daemon]:
    """A daemon that listens."""
    one = Daemon()
    await one.listen()
    try:
        yield one
    finally:
        await one.close()
        await one.session.close()


@contextlib.asynccontextmanager
async def tls_proxy(target_port: int, strip: str = "") -> AsyncIterator[int]:
    """A proxy's port: it speaks TLS with a certificate nobody knows, and strips a prefix of the request's path."""
    credentials = new_credentials()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "proxy.pem"
        pem.write_text(credentials.key_pem + credentials.certificate_pem)
        context.load_cert_chain(pem)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).replace(f"GET {strip}".encode(), b"GET ", 1)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target_port)
        inner_writer.write(head)
        ways = [asyncio.create_task(_copy(reader, inner_writer)), asyncio.create_task(_copy(inner_reader, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        inner_writer.close()
        writer.close()

    server = await asyncio.start_server(carry, "0.0.0.0", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
