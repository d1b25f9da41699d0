"""Wait while clients come and go: headers at once, the code at the exit."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.api.conftest import Served
from tests.api.streams import create, opened, until


async def test_wait_answers_its_headers_at_once_and_the_code_at_the_exit(served: Served) -> None:
    await create(served, "both")
    request = b"POST /v1.44/containers/a/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    reader, writer, head = await opened(served, request)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: application/json\r\n" in head
    assert b"Transfer-Encoding: chunked\r\n" in head
    await served.request("POST", "/containers/a/start")
    async with asyncio.timeout(10):
        assert await reader.readuntil(b"0\r\n\r\n") == b'1e\r\n{"Error":null,"StatusCode":3}\n\r\n0\r\n\r\n'
    writer.close()


async def test_wait_before_api_1_30_ignores_conditions_and_answers_whole(served: Served) -> None:
    await create(served, "both")
    status, _, body = await served.request("POST", "/v1.29/containers/a/wait?condition=next-exit")
    assert (status, json.loads(body)) == (200, {"Error": None, "StatusCode": 0})


@pytest.mark.parametrize(
    ("target", "status", "message"),
    [
        ("/containers/nope/wait", 404, "No such container: nope"),
        ("/containers/a/wait?condition=foo", 400, 'invalid condition: "foo"'),
    ],
)
async def test_a_wait_that_cannot_begin_is_an_error(served: Served, target: str, status: int, message: str) -> None:
    await create(served, "both")
    answered, _, body = await served.request("POST", target)
    assert (answered, json.loads(body)) == (status, {"message": message})


async def test_a_client_that_leaves_ends_its_wait(served: Served) -> None:
    await create(served, "sleep")
    _, writer, _ = await opened(served, b"POST /containers/a/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\n\r\n")
    writer.close()
    await until(lambda: served.engine.abandoned_waits == 1)
