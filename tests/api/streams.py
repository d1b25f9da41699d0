"""Connections that carry streams: how tests make a container, open one and read it."""

from __future__ import annotations

import asyncio
import json

from tests.api.conftest import Served
from tests.api.fake_process import FakeProcess


async def create(served: Served, *argv: str, tty: bool = False, name: str = "a") -> FakeProcess:
    """A created container of this program."""
    body = {"Image": "busybox:test", "Cmd": list(argv), "Tty": tty, "OpenStdin": True, "StdinOnce": True}
    status, _, answer = await served.request("POST", f"/containers/create?name={name}", body)
    assert status == 201, answer
    return served.engine.processes[json.loads(answer)["Id"]]


def attach_request(query: str, version: str = "v1.44", *, upgrade: bool = True, name: str = "a") -> bytes:
    """The bytes of an attach as the docker CLI sends it."""
    lines = [f"POST /{version}/containers/{name}/attach?{query} HTTP/1.1", "Host: x", "Content-Length: 0"]
    lines += ["Connection: Upgrade", "Content-Type: text/plain", "Upgrade: tcp"] if upgrade else []
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def opened(served: Served, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """A connection on which the request was answered: reader, writer and the answer's head."""
    reader, writer = await asyncio.open_unix_connection(str(served.path), limit=1 << 20)
    writer.write(request)
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
    return reader, writer, head


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes."""
    async with asyncio.timeout(10):
        return await reader.read()


async def until(condition: object) -> None:
    """Waits until condition() is true."""
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)
