"""Ending the agent's connections with a daemon that has vanished, with its machine or its network.

Owns the watch over connections; wire/tcp_info.py says when a peer is lost.
"""

from __future__ import annotations

import asyncio
import socket

from sockerless.wire import tcp_info

_TCP_FAMILIES = {socket.AF_INET, socket.AF_INET6}


class Peers:
    """Watches transports over TCP until they are closed; those over anything else are left alone."""

    def __init__(self) -> None:
        self._transports: set[asyncio.WriteTransport] = set()
        self._silence: tcp_info.Silence[asyncio.WriteTransport] = tcp_info.Silence()
        self._checking: asyncio.Task[None] | None = None

    def watch(self, transport: asyncio.BaseTransport | None) -> None:
        """From now on, the connection is given up once its peer is lost."""
        if isinstance(transport, asyncio.WriteTransport) and _is_open_tcp(transport):
            _probe(transport)
            self._transports.add(transport)
            if self._checking is None or self._checking.done():
                self._checking = asyncio.create_task(self._check_while_any(), name="peers")

    def forget(self, transport: asyncio.BaseTransport | None) -> None:
        """The connection is over: its buffers shall not wait for the next check."""
        if isinstance(transport, asyncio.WriteTransport):
            self._transports.discard(transport)

    def check(self, now_s: float) -> None:
        """Gives up what is lost at this moment of the loop's clock."""
        self._transports = set(filter(_is_open_tcp, self._transports))
        for lost in self._silence.lost({one: _info(one) for one in self._transports}, now_s):
            lost.abort()

    async def _check_while_any(self) -> None:
        watching = True
        while watching:  # once more when there is none left: nothing is kept of the last ones
            watching = bool(self._transports)
            await asyncio.sleep(tcp_info.CHECK_INTERVAL_S)
            self.check(asyncio.get_running_loop().time())


def _is_open_tcp(transport: asyncio.WriteTransport) -> bool:
    connected = transport.get_extra_info("socket")
    return connected is not None and connected.fileno() >= 0 and connected.family in _TCP_FAMILIES


def _probe(transport: asyncio.WriteTransport) -> None:
    """Has Linux probe the peer while nothing is under way."""
    connected = transport.get_extra_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, tcp_info.KEEPALIVE_IDLE_S)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, tcp_info.KEEPALIVE_INTERVAL_S)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, tcp_info.KEEPALIVE_COUNT)


def _info(transport: asyncio.WriteTransport) -> bytes:
    connected = transport.get_extra_info("socket")
    info: bytes = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, tcp_info.INFO_BYTES)
    return info
