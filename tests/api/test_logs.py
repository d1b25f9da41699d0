"""Logs over HTTP: media types, options, failures within, and clients that leave."""

from __future__ import annotations

import json

import pytest

from sockerless.errors import Unavailable
from sockerless.wire import stdcopy
from sockerless.wire.agent import LogQuery
from tests.api.conftest import Served
from tests.api.streams import create, opened, until


@pytest.mark.parametrize(
    ("version", "tty", "media_type"),
    [
        ("v1.41", False, "application/vnd.docker.raw-stream"),
        ("v1.42", False, "application/vnd.docker.multiplexed-stream"),
        ("v1.44", True, "application/vnd.docker.raw-stream"),
    ],
)
async def test_logs_tell_whether_they_are_multiplexed(served: Served, version: str, tty: bool, media_type: str) -> None:
    await create(served, "echo", "hi", tty=tty)
    await served.request("POST", "/containers/a/start")
    await served.request("POST", "/containers/a/wait")
    status, headers, body = await served.request("GET", f"/{version}/containers/a/logs?stdout=1")
    assert (status, headers["content-type"]) == (200, media_type)
    assert body == (b"hi\n" if tty else b"\x01\0\0\0\0\0\0\x03hi\n")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("stdout=1", LogQuery(stderr=False)),
        ("stdout=1&stderr=1&tail=all", LogQuery()),
        ("stdout=1&stderr=1&tail=nonsense", LogQuery()),
        ("stdout=1&stderr=1&tail=-1", LogQuery()),
        ("stdout=1&stderr=1&tail=0", LogQuery(tail=0)),
        ("stderr=true&tail=10&timestamps=1", LogQuery(stdout=False, tail=10, timestamps=True)),
        ("stdout=1&stderr=1&since=1.5&until=0", LogQuery(since_ns=1_500_000_000)),
        ("stdout=1&stderr=0&until=1700000000.000000001", LogQuery(stderr=False, until_ns=1_700_000_000_000_000_001)),
    ],
)
async def test_log_options_reach_the_verb(served: Served, query: str, expected: LogQuery) -> None:
    await create(served, "echo")
    await served.request("GET", f"/containers/a/logs?{query}")
    assert served.engine.calls[-1] == ("logs", expected)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("", 400, "Bad parameters: you must choose at least one stream"),
        ("stdout=0&stderr=false", 400, "Bad parameters: you must choose at least one stream"),
        ("stdout=1&since=yesterday", 400, 'invalid value for "since": yesterday'),
        ("stdout=1&details=1", 501, "details (--details) is not available in this version of sockerless: "),
    ],
)
async def test_log_options_that_are_refused(served: Served, query: str, status: int, message: str) -> None:
    await create(served, "echo")
    answered, _, body = await served.request("GET", f"/containers/a/logs?{query}")
    assert answered == status
    assert json.loads(body)["message"].startswith(message)


async def test_a_failure_within_logs_is_told_in_the_stream(served: Served) -> None:
    await create(served, "echo", "hi")
    served.engine.failure = Unavailable("CloudWatch cannot be reached")
    _, _, body = await served.request("GET", "/containers/a/logs?stdout=1")
    frames = stdcopy.Decoder().feed(body)
    assert frames == [(stdcopy.SYSTEM_ERROR, b"Error grabbing logs: CloudWatch cannot be reached\n")]


async def test_a_failure_within_a_terminal_s_logs_is_told_and_breaks_the_answer_off(served: Served) -> None:
    await create(served, "echo", "hi", tty=True)
    served.engine.failure = Unavailable("CloudWatch cannot be reached")
    answer = await served.exchange(b"GET /containers/a/logs?stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Error grabbing logs: CloudWatch cannot be reached\n" in answer
    assert not answer.endswith(b"0\r\n\r\n")


async def test_a_client_that_leaves_ends_its_logs(served: Served) -> None:
    await create(served, "sleep")
    await served.request("POST", "/containers/a/start")
    _, writer, _ = await opened(served, b"GET /containers/a/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    writer.close()
    await until(lambda: served.engine.abandoned_waits == 1)
