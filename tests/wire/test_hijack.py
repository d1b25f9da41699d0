"""The heads of hijacked connections byte for byte, and which requests may end in one."""

from __future__ import annotations

import pytest

from sockerless.wire import hijack


def test_the_heads_are_dockers_bytes() -> None:
    assert hijack.upgraded_head(hijack.RAW_STREAM) == (
        b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
        b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    )
    assert hijack.upgraded_head(hijack.MULTIPLEXED_STREAM, {"Api-Version": "1.44"}) == (
        b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
        b"Connection: Upgrade\r\nUpgrade: tcp\r\nApi-Version: 1.44\r\n\r\n"
    )
    assert hijack.plain_head() == b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
    assert hijack.refusal(404, "Not Found", "No such container: x") == (
        b"HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nNo such container: x\r\n"
    )


@pytest.mark.parametrize(
    ("tty", "version", "media_type"),
    [
        (False, (1, 41), hijack.RAW_STREAM),
        (False, (1, 42), hijack.MULTIPLEXED_STREAM),
        (True, (1, 42), hijack.RAW_STREAM),
    ],
)
def test_streams_are_announced_as_multiplexed_since_1_42(tty: bool, version: tuple[int, int], media_type: str) -> None:
    assert hijack.stream_media_type(tty=tty, version=version) == media_type


@pytest.mark.parametrize(
    ("head", "hijacks"),
    [
        (b"POST /v1.44/containers/x/attach?stream=1 HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"POST /containers/x/attach HTTP/1.1\r\n\r\n", True),
        (b"POST /exec/x/start HTTP/1.1\r\nContent-Length: 2\r\n\r\n", True),
        (b"POST /v1.44/containers/x/start HTTP/1.1\r\n\r\n", False),
        (b"GET /containers/x/attach/ws HTTP/1.1\r\nHost: x\r\n\r\n", False),
        (b"POST /session HTTP/1.1\r\nHost: x\r\nUPGRADE: h2c\r\n\r\n", True),
        (b"POST /containers/create HTTP/1.1\r\nX-Upgrade: tcp\r\n\r\n", False),
        (b"POST /containers/x/attach HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", False),
    ],
)
def test_which_requests_may_end_in_a_raw_stream(head: bytes, hijacks: bool) -> None:
    assert hijack.may_hijack(head) is hijacks


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 12\r\n\r\n", 12),
        (b"POST / HTTP/1.1\r\ncontent-length:12 \r\nHost: x\r\n\r\n", 12),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", 0),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 12\r\n\r\n", 0),
    ],
)
def test_the_declared_length_of_a_body(head: bytes, length: int) -> None:
    assert hijack.body_bytes(head) == length
