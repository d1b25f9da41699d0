"""Connections to agents find out when their peer has vanished."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from sockerless.backend.agent_connector import AgentConnector
from sockerless.backend.callback import Callbacks
from sockerless.wire.tcp_info import LOST_S


async def endless(request: web.Request) -> web.StreamResponse:
    """An answer that stays open."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"begun")
    await asyncio.Event().wait()
    return response


async def test_a_dialled_connection_probes_its_peer() -> None:
    app = web.Application()
    app.router.add_get("/", endless)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(connector=AgentConnector(Callbacks())) as session,
        session.get(server.make_url("/")) as answer,
    ):
        assert answer.connection is not None
        assert answer.connection.transport is not None
        dialled = answer.connection.transport.get_extra_info("socket")
        assert dialled.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert dialled.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == LOST_S // 3
        assert dialled.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0
