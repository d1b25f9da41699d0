"""The agents' listener: 401 for whoever is no expected agent, one call an agent, pipes that were asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from sockerless import config
from sockerless.api import agents
from sockerless.backend.callback import Callbacks, listen_address
from sockerless.errors import InvalidParameter
from sockerless.types import AgentCredentials
from sockerless.wire import callback as wire
from sockerless.wire.tcp_info import LOST_S
from tests.silent_peer import silence

AGENT, OTHER, PIPE = "a" * 32, "b" * 32, "c" * 32
DEADLINE_S = 10.0
REQUIRED = {
    "SOCKERLESS_ECS_SUBNETS": "subnet-1",
    "SOCKERLESS_ECS_EXECUTION_ROLE_ARN": "arn:aws:iam::123456789012:role/x",
}


@dataclass
class Port:
    """The listener, and a client that calls it."""

    callbacks: Callbacks
    base: str
    session: aiohttp.ClientSession

    def call(self, agent_id: str = AGENT, credential: str = "", path: str = "") -> object:
        """A WebSocket to be opened, as the agent opens its call unless told otherwise."""
        shown = credential or wire.credential("token", agent_id)
        return self.session.ws_connect(
            self.base + (path or f"/v1/agents/{agent_id}"), headers={"Authorization": f"Bearer {shown}"}, autoping=False
        )

    async def status(self, **more: str) -> int:
        """How a refused upgrade is answered."""
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await self.call(**more)  # type: ignore[misc]
        return refused.value.status


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    """A listener that expects AGENT, whose token is "token"."""
    callbacks = Callbacks()
    callbacks.expect(AgentCredentials(AGENT, "token", "", ""))
    server = web.Server(lambda request: agents.serve(request, callbacks), access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    number = listener.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        yield Port(callbacks, f"http://127.0.0.1:{number}", session)
    listener.close()
    await server.shutdown(0.1)


async def asked_pipe(call: aiohttp.ClientWebSocketResponse) -> str:
    """The pipe that the daemon asks for next."""
    pipe_id = wire.asked_pipe(await call.receive_str(timeout=DEADLINE_S))
    assert pipe_id is not None
    return pipe_id


@pytest.mark.parametrize(
    ("path", "credential"),
    [
        (f"/v1/agents/{AGENT}", "token"),
        (f"/v1/agents/{AGENT}", wire.credential("token", OTHER)),
        (f"/v1/agents/{AGENT}", wire.credential("token", AGENT)[:-1]),
        (f"/v1/agents/{OTHER}", wire.credential("token", OTHER)),
        (f"/v1/agents/{OTHER}", "0" * 64),
        (f"/v1/agents/{AGENT}/pipes/{PIPE}", "wrong"),
        ("/", wire.credential("token", AGENT)),
        ("/_ping", wire.credential("token", AGENT)),
        ("/v1.44/containers/json", wire.credential("token", AGENT)),
    ],
)
async def test_nobody_but_an_expected_agent_is_answered_anything_but_401(
    port: Port, path: str, credential: str
) -> None:
    assert await port.status(path=path, credential=credential) == 401
    async with port.session.get(port.base + path, headers={"Authorization": f"Bearer {credential}"}) as answer:
        assert (answer.status, answer.headers.get("Server", ""), len(await answer.read()) < 30) == (401, "", True)


async def test_without_or_with_two_authorizations_it_is_401(port: Port) -> None:
    shown = ("Authorization", f"Bearer {wire.credential('token', AGENT)}")
    for headers in ([], [shown, shown], [("Authorization", "Bearer ÿ")]):
        async with port.session.get(f"{port.base}/v1/agents/{AGENT}", headers=headers) as answer:
            assert answer.status == 401


async def test_an_agent_that_does_not_upgrade_is_told_so(port: Port) -> None:
    headers = {"Authorization": f"Bearer {wire.credential('token', AGENT)}"}
    async with port.session.get(f"{port.base}/v1/agents/{AGENT}", headers=headers) as answer:
        assert answer.status == 426


async def test_a_second_agent_of_the_same_id_is_refused_while_the_first_answers(port: Port) -> None:
    async with port.call() as call:  # type: ignore[attr-defined]
        second = asyncio.create_task(port.status())
        assert await call.receive_str(timeout=DEADLINE_S) == wire.CALL_PROBE
        await call.send_str(wire.CALL_ALIVE)
        assert await second == 409
        piping = asyncio.create_task(port.callbacks.pipe(AGENT))
        await asked_pipe(call)
        piping.cancel()


async def test_an_agent_whose_earlier_call_is_dead_takes_its_place(port: Port) -> None:
    async with port.call(), port.call() as second:  # type: ignore[attr-defined]
        piping = asyncio.create_task(port.callbacks.pipe(AGENT))
        await asked_pipe(second)
        piping.cancel()


async def test_a_pipe_carries_bytes_both_ways_until_one_side_ends(port: Port) -> None:
    async with port.call(path=f"/some/prefix/v1/agents/{AGENT}") as call:  # type: ignore[attr-defined]
        piping = asyncio.create_task(port.callbacks.pipe(AGENT))
        path = f"/v1/agents/{AGENT}/pipes/{await asked_pipe(call)}"
        async with port.call(path=path) as pipe:  # type: ignore[attr-defined]
            reader, writer = await asyncio.open_connection(sock=await piping)
            writer.write(b"to the agent")
            assert await pipe.receive_bytes(timeout=DEADLINE_S) == b"to the agent"
            await pipe.send_bytes(b"x" * 1_000_000)
            assert await reader.readexactly(1_000_000) == b"x" * 1_000_000
            writer.close()
            assert (await pipe.receive(timeout=DEADLINE_S)).type is aiohttp.WSMsgType.CLOSE


async def test_a_pipe_is_opened_once_and_only_if_it_was_asked_for_and_by_whom(port: Port) -> None:
    port.callbacks.expect(AgentCredentials(OTHER, "token", "", ""))
    async with port.call() as call:  # type: ignore[attr-defined]
        assert await port.status(path=f"/v1/agents/{AGENT}/pipes/{PIPE}") == 404
        piping = asyncio.create_task(port.callbacks.pipe(AGENT))
        pipe_id = await asked_pipe(call)
        other = wire.credential("token", OTHER)
        assert await port.status(path=f"/v1/agents/{OTHER}/pipes/{pipe_id}", credential=other) == 404
        async with port.call(path=f"/v1/agents/{AGENT}/pipes/{pipe_id}"):  # type: ignore[attr-defined]
            (await piping).close()
            assert await port.status(path=f"/v1/agents/{AGENT}/pipes/{pipe_id}") == 404


async def test_a_pipe_asked_for_before_the_agent_calls_waits_for_it(port: Port) -> None:
    piping = asyncio.create_task(port.callbacks.pipe(AGENT))
    async with port.call() as call:  # type: ignore[attr-defined]
        path = f"/v1/agents/{AGENT}/pipes/{await asked_pipe(call)}"
        async with port.call(path=path):  # type: ignore[attr-defined]
            (await piping).close()


async def test_an_agent_that_is_forgotten_loses_its_call(port: Port) -> None:
    async with port.call() as call:  # type: ignore[attr-defined]
        port.callbacks.forget(AGENT)
        assert (await call.receive(timeout=DEADLINE_S)).type is aiohttp.WSMsgType.CLOSE
    assert await port.status() == 401


async def test_an_agent_that_is_forgotten_loses_its_pipes(port: Port) -> None:
    async with port.call() as call:  # type: ignore[attr-defined]
        piping = asyncio.create_task(port.callbacks.pipe(AGENT))
        path = f"/v1/agents/{AGENT}/pipes/{await asked_pipe(call)}"
        async with port.call(path=path) as pipe:  # type: ignore[attr-defined]
            reader, writer = await asyncio.open_connection(sock=await piping)
            port.callbacks.forget(AGENT)
            assert await asyncio.wait_for(reader.read(), DEADLINE_S) == b""
            assert (await pipe.receive(timeout=DEADLINE_S)).type is aiohttp.WSMsgType.CLOSE
            writer.close()


async def test_a_pipe_whose_agent_vanished_ends(port: Port) -> None:
    async with port.call() as call:  # type: ignore[attr-defined]
        piping = asyncio.create_task(port.callbacks.pipe(AGENT))
        path = f"/v1/agents/{AGENT}/pipes/{await asked_pipe(call)}"
        async with port.call(path=path) as pipe:  # type: ignore[attr-defined]
            reader, writer = await asyncio.open_connection(sock=await piping)
            silence(pipe.get_extra_info("socket"))
            writer.write(b"nobody hears this")
            now_s = asyncio.get_running_loop().time()
            async with asyncio.timeout(DEADLINE_S):
                while not reader.at_eof():
                    now_s += LOST_S
                    port.callbacks.peers.check(now_s)
                    await asyncio.sleep(0.01)
            writer.close()


async def pipe_after_goodbye(port: Port) -> None:
    """Asks for pipes until the daemon has read that the agent left."""
    while True:
        with contextlib.suppress(ConnectionResetError):
            await port.callbacks.pipe(AGENT)
        await asyncio.sleep(0)


async def test_an_agent_that_said_goodbye_is_not_waited_for_until_it_calls_again(port: Port) -> None:
    async with port.call():  # type: ignore[attr-defined]
        pass
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(ConnectionRefusedError, match="the agent has left"):
            await pipe_after_goodbye(port)
    async with port.call() as call:  # type: ignore[attr-defined]
        piping = asyncio.create_task(port.callbacks.pipe(AGENT))
        await asked_pipe(call)
        piping.cancel()


@pytest.mark.parametrize(
    ("url", "listen", "address"),
    [
        ("http://10.0.0.1:8080/p", "", ("0.0.0.0", 8080)),
        ("ws://10.0.0.1", "", ("0.0.0.0", 80)),
        ("https://proxy.example/p", "127.0.0.1:9000", ("127.0.0.1", 9000)),
        ("http://10.0.0.1:8080", "[::]:9000", ("::", 9000)),
        ("http://10.0.0.1:8080", ":9000", ("0.0.0.0", 9000)),
    ],
)
def test_where_agents_are_listened_for(url: str, listen: str, address: tuple[str, int]) -> None:
    environment = {"SOCKERLESS_CALLBACK_URL": url, "SOCKERLESS_CALLBACK_LISTEN": listen}
    assert listen_address(config.load(REQUIRED | environment)) == address


def test_a_url_of_a_tls_proxy_alone_does_not_tell_where_to_listen() -> None:
    with pytest.raises(InvalidParameter, match="set SOCKERLESS_CALLBACK_LISTEN to the HOST:PORT"):
        listen_address(config.load(REQUIRED | {"SOCKERLESS_CALLBACK_URL": "wss://proxy.example"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOCKERLESS_CALLBACK_URL", "ftp://x"),
        ("SOCKERLESS_CALLBACK_URL", "https://user:secret@x"),
        ("SOCKERLESS_CALLBACK_URL", "https://x/?a=b"),
        ("SOCKERLESS_CALLBACK_LISTEN", "9000"),
        ("SOCKERLESS_CALLBACK_LISTEN", "x:70000"),
    ],
)
def test_other_forms_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidParameter, match=name):
        config.load(REQUIRED | {name: value})
