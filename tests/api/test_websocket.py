"""Attach by WebSocket with a client that is not ours: output, input, ends and refusals."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import InvalidStatus

from tests.api.conftest import Served
from tests.api.fake_process import FakeProcess


async def create(served: Served, *argv: str, tty: bool = False) -> FakeProcess:
    """A created container "a" of this program."""
    body = {"Image": "busybox:test", "Cmd": list(argv), "Tty": tty, "OpenStdin": True}
    _, _, answer = await served.request("POST", "/containers/create?name=a", body)
    return served.engine.processes[json.loads(answer)["Id"]]


async def attached(served: Served, query: str, version: str = "v1.44", name: str = "a") -> ClientConnection:
    """A WebSocket to the container."""
    return await unix_connect(str(served.path), f"ws://x/{version}/containers/{name}/attach/ws?{query}")


async def received(socket: ClientConnection) -> bytes:
    """Everything until the server closes, which it must do with 1000."""
    whole = b""
    async with asyncio.timeout(10):
        async for message in socket:
            assert isinstance(message, bytes)
            whole += message
    assert socket.close_code == 1000
    return whole


@pytest.mark.parametrize("tty", [False, True])
async def test_output_comes_without_frames_and_ends_with_1000(served: Served, tty: bool) -> None:
    await create(served, "both", tty=tty)
    socket = await attached(served, "stream=1&stdout=1&stderr=1")
    await served.request("POST", "/containers/a/start")
    assert await received(socket) == b"out\nerr\n"


@pytest.mark.parametrize("version", ["v1.41", "v1.44"])
async def test_every_message_is_input(served: Served, version: str) -> None:
    process = await create(served, "cat")
    socket = await attached(served, "stream=1" if version == "v1.41" else "stream=1&stdin=1&stdout=1", version)
    await served.request("POST", "/containers/a/start")
    await socket.send(b"\x00bytes ")
    await socket.send("text")
    async with asyncio.timeout(10):
        assert await socket.recv() == b"\x00bytes "
        assert await socket.recv() == b"text"
    await process.stdin.put(b"")
    assert await received(socket) == b""


async def test_a_client_that_leaves_lets_the_process_go_on(served: Served) -> None:
    process = await create(served, "sleep")
    await served.request("POST", "/containers/a/start")
    for how in ("close", "abort"):
        socket = await attached(served, "stream=1&stdout=1")
        assert len(process.attachments) == 1
        if how == "close":
            await socket.close()
        else:
            socket.transport.abort()
        async with asyncio.timeout(10):
            while process.attachments:
                await asyncio.sleep(0.01)
    assert not process.killed.is_set()


@pytest.mark.parametrize(
    ("name", "query", "status", "message"),
    [
        ("nosuch", "stream=1", 404, "No such container: nosuch"),
        ("a", "stream=1&detachKeys=zzz", 400, "Invalid detach keys (zzz) provided"),
    ],
)
async def test_a_refusal_is_json_before_the_upgrade(
    served: Served, name: str, query: str, status: int, message: str
) -> None:
    await create(served, "cat")
    with pytest.raises(InvalidStatus) as refused:
        await attached(served, query, name=name)
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body or b"") == {"message": message}


async def test_a_request_that_is_no_handshake_is_refused(served: Served) -> None:
    await create(served, "cat")
    status, _, body = await served.request("GET", "/containers/a/attach/ws?stream=1")
    assert status == 400
    assert "not a WebSocket handshake" in json.loads(body)["message"]
