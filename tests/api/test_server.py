"""Listening: who may be taken over, what is opened to whom, and how the daemon ends."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from sockerless.api.app import application
from sockerless.api.server import serve_app
from sockerless.errors import Conflict, InvalidParameter
from tests.api.conftest import Served
from tests.api.fake_engine import FakeEngine


async def refused(*hosts: str) -> str:
    """The message with which these hosts are refused."""
    with pytest.raises((InvalidParameter, Conflict)) as raised:
        async with asyncio.timeout(10):
            await serve_app(application(FakeEngine().verbs()), hosts, asyncio.Event())
    return str(raised.value)


async def test_the_socket_is_for_its_owner_and_group(served: Served) -> None:
    mode = os.stat(served.path).st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660


async def test_a_socket_that_answers_is_not_taken_over(served: Served) -> None:
    assert "another daemon answers there" in await refused(served.host)
    assert (await served.request("GET", "/_ping"))[0] == 200


async def serve_for_one_ping(path: Path) -> bytes:
    """Serves on path, pings once, stops; the ping's answer."""
    stopped, listening = asyncio.Event(), asyncio.Event()
    app = application(FakeEngine().verbs())
    serving = asyncio.create_task(serve_app(app, [f"unix://{path}"], stopped, listening))
    async with asyncio.timeout(10):
        await listening.wait()
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET /_ping HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        stopped.set()
        await serving
    return answer


async def test_a_socket_that_nobody_answers_on_is_replaced_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "made" / "on" / "demand" / "d.sock"
    path.parent.mkdir(parents=True)
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stale.bind(str(path))
    stale.close()
    assert (await serve_for_one_ping(path)).endswith(b"OK")
    assert not path.exists()


async def test_the_sockets_directory_is_made(tmp_path: Path) -> None:
    assert (await serve_for_one_ping(tmp_path / "a" / "b" / "d.sock")).endswith(b"OK")


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    assert "something else than a socket" in await refused(f"unix://{path}")
    assert path.read_text() == "data"


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("tcp://0.0.0.0:2375", "without TLS. Listen on tcp://127.0.0.1:2375 or on a unix socket"),
        ("tcp://:2375", "without TLS"),
        ("tcp://10.255.255.1:2375", "without TLS"),
        ("tcp://[::]:2375", "without TLS"),
        ("tcp://127.0.0.1:port", "the port must be a number"),
        ("tcp://127.0.0.1:1/x", "expected tcp://HOST:PORT and nothing else"),
        ("unix://relative.sock", "must be absolute"),
        ("unix:///" + "x" * 120, "can have 107 bytes"),
        ("/run/x.sock", "expected unix:///path/to/socket or tcp://127.0.0.1:2375"),
        ("npipe:////./pipe/x", "expected unix:///path/to/socket"),
    ],
)
async def test_an_address_that_is_refused(host: str, message: str) -> None:
    assert message in await refused(host)


async def test_a_tcp_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        host = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        assert f"{host}: cannot listen there: Address already in use" in await refused(host)


async def test_loopback_tcp_and_a_socket_are_served_together(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stopped, listening = asyncio.Event(), asyncio.Event()
    hosts = [f"unix://{tmp_path / 'd.sock'}", f"tcp://localhost:{port}"]
    serving = asyncio.create_task(serve_app(application(FakeEngine().verbs()), hosts, stopped, listening))
    async with asyncio.timeout(10):
        await listening.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /_ping HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"OK")
        writer.close()
        stopped.set()
        await serving


async def test_waits_logs_and_attaches_do_not_hold_up_the_end(tmp_path: Path) -> None:
    path, engine = tmp_path / "d.sock", FakeEngine()
    stopped, listening = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve_app(application(engine.verbs()), [f"unix://{path}"], stopped, listening))
    async with asyncio.timeout(5):
        await listening.wait()
        await engine.create("a", {"Image": "busybox:test", "Cmd": ["sleep"]}, {}, {}, "")
        await engine.start("a")
        readers = []
        for request in (
            b"POST /containers/a/wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
            b"GET /containers/a/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /containers/a/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\n\r\n",
            b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n",
        ):
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(request)
            await reader.readuntil(b"\r\n\r\n")
            readers.append((reader, writer))
        (attachment,) = engine.processes["01" * 32].attachments
        stopped.set()
        await serving
        for _, writer in readers:
            writer.close()
    assert engine.containers["01" * 32].state.status == "running"
    assert attachment.abandoned
