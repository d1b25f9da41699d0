"""Published ports: the daemon's machine listens, connections end in the task."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import free_port
from tests.e2e.docker_cli import Docker, eventually

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


def talk(port: int, sent: bytes, timeout_s: float = 20.0) -> bytes:
    """What comes back for these bytes and an end of input; b"" when the connection fails."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))
    return b""


@contextlib.contextmanager
def published(docker: Docker, image: str, *options: str, command: str) -> Iterator[str]:
    container = docker.ok("run", "-d", *options, image, "sh", "-c", command)
    try:
        yield container
    finally:
        docker.ok("rm", "-f", container)


MANY = "exec nc -ll -p 7000 -e cat"


def test_bytes_go_both_ways_and_the_end_of_input_is_passed_on(docker: Docker, image: str) -> None:
    port = free_port()
    with published(docker, image, "-p", f"{port}:7000", command=MANY) as container:
        eventually(lambda: talk(port, b"hello") == b"hello")
        data = bytes(range(256)) * 20_000
        assert talk(port, data) == data
        assert docker.ok("port", container) == f"7000/tcp -> 0.0.0.0:{port}\n7000/tcp -> [::]:{port}"
        assert f"0.0.0.0:{port}->7000/tcp" in docker.ok("ps", "--filter", f"id={container}", "--format", "{{.Ports}}")
    assert talk(port, b"closed") == b""


def test_twenty_connections_at_once_keep_apart(docker: Docker, image: str) -> None:
    port = free_port()
    script = "mkdir /w; for i in $(seq 0 19); do yes $i | head -n 5000 > /w/$i; done; exec httpd -f -p 7000 -h /w"
    with published(docker, image, "-p", f"127.0.0.1:{port}:7000", command=script):
        eventually(lambda: b"200 OK" in talk(port, b"GET /19 HTTP/1.0\r\n\r\n"))
        answers: dict[int, bytes] = {}

        def one(number: int) -> None:
            answers[number] = talk(port, b"GET /%d HTTP/1.0\r\n\r\n" % number).partition(b"\r\n\r\n")[2]

        threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == {number: b"%d\n" % number * 5000 for number in range(20)}


def test_every_exposed_port_is_published_at_a_free_one(docker: Docker, image: str) -> None:
    created = docker("create", "-P", "--expose", "7000", "--expose", "53/udp", image, "true")
    assert created.stderr.decode().strip() == (
        "WARNING: port 53/udp is exposed and not published: only TCP ports can be, because connections reach a task "
        "through its agent"
    )
    docker.ok("rm", created.stdout.decode().strip())
    with published(docker, image, "-P", "--expose", "7000", command=MANY) as container:
        port = int(docker.ok("port", container, "7000").splitlines()[0].rpartition(":")[2])
        eventually(lambda: talk(port, b"any") == b"any")


def test_a_range_takes_its_first_free_port_and_a_taken_port_fails_the_start(docker: Docker, image: str) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        first = taken.getsockname()[1]
        failed = docker("run", "--rm", "-p", f"{first}:80", image, "true")
        assert failed.returncode == 125
        assert f"Bind for 0.0.0.0:{first} failed" in failed.stderr.decode()
        with published(docker, image, "-p", f"{first}-{first + 5}:7000", command=MANY) as container:
            chosen = int(docker.ok("port", container, "7000").splitlines()[0].rpartition(":")[2])
            assert first < chosen <= first + 5


def test_udp_is_refused_and_said(docker: Docker, image: str) -> None:
    refused = docker("run", "--rm", "-p", "5353:53/udp", image, "true")
    assert refused.returncode == 125
    assert "port 53/udp cannot be published: only TCP ports can be" in refused.stderr.decode()


def test_a_published_port_survives_the_daemons_death(docker: Docker, image: str, crash: Callable[[], None]) -> None:
    port = free_port()
    with published(docker, image, "-p", f"{port}:7000", command=MANY):
        eventually(lambda: talk(port, b"before") == b"before")
        crash()
        eventually(lambda: talk(port, b"after") == b"after")


def test_a_second_start_that_finds_its_port_taken_leaves_the_files_where_they_are(docker: Docker, image: str) -> None:
    port = free_port()
    container = docker.ok("create", "-p", f"{port}:7000", image, "sh", "-c", "date >> /result")
    try:
        docker.ok("start", "-a", container)
        eventually(lambda: talk(port, b"") == b"")
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind(("0.0.0.0", port))
            stranger.listen()
            refused = docker("start", container)
            assert refused.returncode == 1
            assert f":{port} failed: address already in use".encode() in refused.stderr
        docker.ok("start", "-a", container)
        copied = docker("cp", f"{container}:/result", "-").stdout
        assert copied.count(b"UTC") == 2
    finally:
        docker.ok("rm", "-f", container)
