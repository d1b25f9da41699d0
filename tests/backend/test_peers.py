"""Connections whose peer vanished are given up, in daemon and agent alike; those whose peer is slow are kept."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from sockerless.agent.peers import Peers as AgentPeers
from sockerless.backend.peers import Peers as BackendPeers
from sockerless.wire.tcp_info import CHECK_INTERVAL_S, KEEPALIVE_IDLE_S, LOST_S
from tests.backend.rig import eventually
from tests.silent_peer import owes_an_answer, silence

Peers = AgentPeers | BackendPeers


@pytest.fixture(params=[AgentPeers, BackendPeers], ids=["agent", "daemon"])
def peers(request: pytest.FixtureRequest) -> Peers:
    found: Peers = request.param()
    return found


@pytest.fixture
async def pair() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, socket.socket]]:
    """A connection through asyncio, and the socket of its peer, which nobody reads."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        peer, _ = listening.accept()
    with peer:
        yield reader, writer, peer
        writer.transport.abort()


def connected(writer: asyncio.StreamWriter) -> socket.socket:
    found: socket.socket = writer.get_extra_info("socket")
    return found


Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter, socket.socket]


async def test_a_peer_that_vanished_with_data_under_way_is_given_up(peers: Peers, pair: Pair) -> None:
    reader, writer, peer = pair
    peers.watch(writer.transport)
    silence(peer)
    writer.write(b"nobody hears this")
    await eventually(lambda: owes_an_answer(connected(writer)))
    now_s = asyncio.get_running_loop().time()
    peers.check(now_s)
    peers.check(now_s + LOST_S - 1)
    assert not writer.is_closing()
    peers.check(now_s + LOST_S)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert writer.is_closing()


async def test_a_peer_that_vanished_with_its_window_closed_is_given_up(peers: Peers, pair: Pair) -> None:
    _, writer, peer = pair
    peers.watch(writer.transport)
    writer.write(bytes(32 << 20))
    await asyncio.wait([asyncio.create_task(writer.drain())], timeout=0.5)
    silence(peer)
    await eventually(lambda: owes_an_answer(connected(writer)), timeout_s=20)
    now_s = asyncio.get_running_loop().time()
    peers.check(now_s)
    peers.check(now_s + LOST_S)
    assert writer.is_closing()


async def test_a_peer_that_reads_nothing_for_long_is_kept(peers: Peers, pair: Pair) -> None:
    _, writer, _ = pair
    peers.watch(writer.transport)
    writer.write(bytes(32 << 20))
    await asyncio.wait([asyncio.create_task(writer.drain())], timeout=3)
    assert not owes_an_answer(connected(writer))
    now_s = asyncio.get_running_loop().time()
    for later_s in range(0, 3 * LOST_S, CHECK_INTERVAL_S):
        peers.check(now_s + later_s)
    assert not writer.is_closing()
    assert connected(writer).getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0


async def test_an_idle_connection_is_probed_by_linux(peers: Peers, pair: Pair) -> None:
    _, writer, _ = pair
    peers.watch(writer.transport)
    one = connected(writer)
    assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    idle_s = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    interval_s = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
    count = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
    assert (idle_s, idle_s + interval_s * count) == (KEEPALIVE_IDLE_S, LOST_S)


async def test_what_is_closed_is_watched_no_longer_and_what_is_not_tcp_never(peers: Peers, pair: Pair) -> None:
    _, writer, _ = pair
    near, far = socket.socketpair()
    _, local = await asyncio.open_connection(sock=near)
    peers.watch(local.transport)
    peers.watch(writer.transport)
    assert len(peers._transports) == 1
    writer.close()
    await writer.wait_closed()
    peers.check(0.0)
    assert len(peers._transports) == 0
    local.close()
    far.close()
