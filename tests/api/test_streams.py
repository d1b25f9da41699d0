"""Attach byte for byte, both half-closes, back-pressure; docker run by real clients."""

from __future__ import annotations

import asyncio
import os
import pty
import termios

import docker
import pytest

from sockerless.errors import Unavailable
from sockerless.wire import stdcopy
from tests.api.conftest import Served
from tests.api.streams import attach_request, create, opened, read_all, until

RAW = b"Content-Type: application/vnd.docker.raw-stream\r\n"
MULTIPLEXED = b"Content-Type: application/vnd.docker.multiplexed-stream\r\n"
UPGRADED = b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


@pytest.mark.parametrize(
    ("version", "tty", "upgrade", "head"),
    [
        ("v1.41", False, True, b"HTTP/1.1 101 UPGRADED\r\n" + RAW + UPGRADED),
        ("v1.42", False, True, b"HTTP/1.1 101 UPGRADED\r\n" + MULTIPLEXED + UPGRADED),
        ("v1.44", False, True, b"HTTP/1.1 101 UPGRADED\r\n" + MULTIPLEXED + UPGRADED),
        ("v1.44", True, True, b"HTTP/1.1 101 UPGRADED\r\n" + RAW + UPGRADED),
        ("v1.44", False, False, b"HTTP/1.1 200 OK\r\n" + RAW + b"\r\n"),
        ("v1.41", True, False, b"HTTP/1.1 200 OK\r\n" + RAW + b"\r\n"),
    ],
)
async def test_the_head_of_a_hijacked_connection(
    served: Served, version: str, tty: bool, upgrade: bool, head: bytes
) -> None:
    await create(served, "echo", "hi", tty=tty)
    reader, writer, got = await opened(served, attach_request("stream=1&stdout=1", version, upgrade=upgrade))
    assert got == head
    await served.request("POST", "/containers/a/start")
    assert await read_all(reader) == (b"hi\n" if tty else b"\x01\0\0\0\0\0\0\x03hi\n")
    writer.close()


async def test_output_and_errors_keep_their_streams_and_the_end_is_the_close(served: Served) -> None:
    await create(served, "both")
    reader, writer, _ = await opened(served, attach_request("stream=1&stdout=1&stderr=1"))
    writer.write_eof()
    await served.request("POST", "/containers/a/start")
    assert await read_all(reader) == b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n"
    writer.close()


@pytest.mark.parametrize("upgrade", [True, False])
async def test_output_still_flows_after_the_client_closed_its_side(served: Served, upgrade: bool) -> None:
    await create(served, "cat")
    reader, writer, _ = await opened(served, attach_request("stream=1&stdin=1&stdout=1", upgrade=upgrade))
    writer.write(b"one ")
    writer.write(b"two")
    writer.write_eof()
    await served.request("POST", "/containers/a/start")
    frames = stdcopy.Decoder().feed(await read_all(reader))
    assert b"".join(frame.payload for frame in frames) == b"one two"
    writer.close()


async def test_stdin_sent_behind_the_request_is_stdin(served: Served) -> None:
    await create(served, "cat")
    await served.request("POST", "/containers/a/start")
    answer = await served.exchange(attach_request("stream=1&stdin=1&stdout=1") + b"early", half_close=True)
    assert answer.endswith(b"\r\n\r\n\x01\0\0\0\0\0\0\x05early")


async def test_a_request_that_comes_byte_by_byte_is_the_same_request(served: Served) -> None:
    await create(served, "cat")
    await served.request("POST", "/containers/a/start")
    reader, writer = await asyncio.open_unix_connection(str(served.path))
    for value in b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n":
        writer.write(bytes([value]))
        await writer.drain()
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n\r\nOK")).startswith(b"HTTP/1.1 200 OK")
    for value in attach_request("stream=1&stdin=1&stdout=1", upgrade=False) + b"GET / HTTP/1.1\r\n\r\n":
        writer.write(bytes([value]))
        await writer.drain()
    writer.write_eof()
    head, _, frames = (await read_all(reader)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"".join(frame.payload for frame in stdcopy.Decoder().feed(frames)) == b"GET / HTTP/1.1\r\n\r\n"
    writer.close()


async def test_a_refusal_in_http_ends_a_connection_that_might_have_been_hijacked(served: Served) -> None:
    request = (
        b"POST /exec/x/start HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    answer = await served.exchange(request + b"raw bytes")
    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_tls_client_is_answered_and_not_left_waiting(served: Served) -> None:
    assert (await served.exchange(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")).startswith(b"HTTP/1.0 400 ")


async def test_stdin_that_was_not_asked_for_is_not_delivered(served: Served) -> None:
    process = await create(served, "sleep")
    await served.request("POST", "/containers/a/start")
    _, writer, _ = await opened(served, attach_request("stream=1&stdout=1"))
    writer.write(b"x" * 100_000)
    await served.request("GET", "/_ping")
    assert process.stdin.empty()
    writer.close()


@pytest.mark.parametrize(
    ("name", "query", "answer"),
    [
        ("nosuch", "stream=1&stdout=1", b"HTTP/1.1 404 Not Found\r\n" + RAW + b"\r\nNo such container: nosuch\r\n"),
        (
            "a",
            "stream=1&stdin=1&detachKeys=zzz",
            b"HTTP/1.1 400 Bad Request\r\n" + RAW + b"\r\nInvalid detach keys (zzz) provided\r\n",
        ),
    ],
)
async def test_a_refused_attach_is_plain_text_on_the_hijacked_connection(
    served: Served, name: str, query: str, answer: bytes
) -> None:
    await create(served, "cat")
    assert await served.exchange(attach_request(query, name=name)) == answer


async def test_an_attach_without_stream_and_logs_ends_at_once(served: Served) -> None:
    await create(served, "cat")
    assert (await served.exchange(attach_request("stdout=1"))).endswith(UPGRADED)


async def test_a_slow_reader_slows_the_process_and_little_is_kept_in_between(served: Served) -> None:
    size = 50 << 20
    process = await create(served, "flood", str(size))
    reader, writer, _ = await opened(served, attach_request("stream=1&stdout=1"))
    writer.transport.pause_reading()
    await served.request("POST", "/containers/a/start")
    ended = asyncio.create_task(until(lambda: process.emitted == size))
    await asyncio.wait({ended}, timeout=0.5)
    assert 0 < process.emitted < 4 << 20
    writer.transport.resume_reading()
    decoder, received = stdcopy.Decoder(), 0
    async with asyncio.timeout(60):
        while data := await reader.read(256 * 1024):
            received += sum(len(frame.payload) for frame in decoder.feed(data))
    await ended
    assert received == size
    writer.close()


async def test_a_process_that_does_not_read_slows_the_client(served: Served) -> None:
    process = await create(served, "sleep")
    await served.request("POST", "/containers/a/start")
    _, writer, _ = await opened(served, attach_request("stream=1&stdin=1"))
    writer.transport.set_write_buffer_limits(high=0)

    async def send_endlessly() -> None:
        while True:
            writer.write(bytes(64 * 1024))
            await writer.drain()

    sending = asyncio.create_task(send_endlessly())
    await asyncio.wait({sending}, timeout=0.5)
    sending.cancel()
    assert writer.transport.get_write_buffer_size() > 0
    assert process.stdin.full()
    writer.transport.abort()


async def test_a_client_that_is_gone_is_detached(served: Served) -> None:
    process = await create(served, "cat")
    await served.request("POST", "/containers/a/start")
    _, writer, _ = await opened(served, attach_request("stream=1&stdout=1"))
    await until(lambda: process.attachments)
    writer.transport.abort()
    await process.stdin.put(b"x" * 100)
    await process.stdin.put(b"y" * 100)
    await until(lambda: not process.attachments)


async def test_docker_run_prints_streams_apart_and_ends_with_the_code(served: Served) -> None:
    assert await served.docker("run", "busybox:test", "both") == (3, b"out\n", b"err\n")


async def test_docker_run_rm_passes_stdin_through(served: Served) -> None:
    data = b"line\n" * 100_000
    assert await served.docker("run", "-i", "--rm", "busybox:test", "cat", stdin=data) == (0, data, b"")
    assert not served.engine.containers


async def test_docker_run_rm_with_an_empty_stdin_ends(served: Served) -> None:
    assert await served.docker("run", "-i", "--rm", "busybox:test", "cat", stdin=b"") == (0, b"", b"")


async def test_docker_run_detached_then_logs_follow_and_kill(served: Served) -> None:
    code, out, _ = await served.docker("run", "-d", "--name", "d", "busybox:test", "sleep")
    assert (code, len(out)) == (0, 65)
    following = asyncio.create_task(served.docker("logs", "-f", "d"))
    waiting = asyncio.create_task(served.docker("wait", "d"))
    await until(lambda: sum(not waiter.done() for waiter in served.engine.exits.get(out.decode().strip(), [])) == 2)
    assert await served.docker("kill", "d") == (0, b"d\n", b"")
    assert await following == (0, b"", b"")
    assert await waiting == (0, b"137\n", b"")


async def test_docker_run_with_a_terminal_sets_its_size_and_passes_keys(served: Served) -> None:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (33, 77))
    arguments = ["run", "-it", "--rm", "--name", "t", "busybox:test", "cat"]
    environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": served.host, "HOME": str(served.path.parent)}
    process = await asyncio.create_subprocess_exec(
        "docker", *arguments, stdin=slave, stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    await until(lambda: [one.size for one in served.engine.processes.values()] == [(33, 77)])
    os.write(master, b"x\x04")
    assert await asyncio.to_thread(os.read, master, 2) == b"x\x04"
    await served.engine.processes["01" * 32].stdin.put(b"")
    async with asyncio.timeout(10):
        assert await process.wait() == 0
    os.close(master)
    (create_call,) = [call for call in served.engine.calls if call[0] == "create"]
    assert create_call[3]["ConsoleSize"] == [33, 77]


async def test_docker_run_of_an_unknown_image_ends_with_125(served: Served) -> None:
    served.engine.pull_lines = [Unavailable("the registry cannot be reached")]
    code, out, err = await served.docker("run", "nosuch:x", "true")
    assert (code, out) == (125, b"")
    assert b"the registry cannot be reached" in err


async def test_docker_py_runs_attaches_and_waits(served: Served) -> None:
    def session() -> tuple[bytes, bytes, int]:
        client = docker.DockerClient(base_url=served.host)
        try:
            printed = client.containers.run("busybox:test", ["echo", "hello"], remove=True)
            container = client.containers.create("busybox:test", ["cat"], stdin_open=True)
            socket = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
            container.start()
            socket._sock.sendall(b"ping")
            echoed = socket.read(12)
            socket._sock.shutdown(1)
            return printed, echoed, int(container.wait()["StatusCode"])
        finally:
            client.close()

    assert await asyncio.to_thread(session) == (b"hello\n", b"\x01\0\0\0\0\0\0\x04ping", 0)
