"""docker attach and its API: during and after a run, by several clients at once, with what came before, slowly."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator

import docker as docker_sdk
import pytest

from tests.e2e.docker_cli import Docker, eventually

pytestmark = [pytest.mark.engine, pytest.mark.terraform]

TALK = "echo before; echo before-err >&2; while read line; do echo got $line; [ $line = end ] && exit 6; done"
"""Echoes its stdin line by line until "end"."""


@pytest.fixture
def container(docker: Docker, image: str) -> Iterator[Callable[..., str]]:
    """A function that starts `sh -c SCRIPT` with options of run, and returns once its logs have this text."""
    made: list[str] = []

    def start(script: str, *options: str, until: bytes = b"before\n") -> str:
        made.append(docker.ok("run", "-d", *options, image, "sh", "-c", script))
        eventually(lambda: until in docker("logs", made[-1]).stdout)
        return made[-1]

    yield start
    docker.ok("rm", "-f", *made)


def say(client: subprocess.Popen[bytes], line: bytes) -> None:
    """Types a line at a client."""
    assert client.stdin is not None
    client.stdin.write(line + b"\n")
    client.stdin.flush()


def test_clients_that_attach_during_the_run_all_see_the_rest_and_its_exit_code(
    docker: Docker, container: Callable[..., str]
) -> None:
    talker = container(TALK, "-i")
    clients = [docker.start("attach", talker) for _ in range(3)]
    seen = [b"" for _ in clients]
    for number, client in enumerate(clients):
        # Until one that has not attached yet hears it: an attach shows what is written from then on.
        while b"got" not in seen[number]:
            say(client, b"hello")
            assert client.stdout is not None
            seen[number] += os.read(client.stdout.fileno(), 100)
    say(clients[0], b"from-the-first")
    say(clients[2], b"from-the-third")
    eventually(lambda: b"from-the-first" in docker("logs", talker).stdout)
    eventually(lambda: b"from-the-third" in docker("logs", talker).stdout)
    say(clients[1], b"end")
    for number, client in enumerate(clients):
        stdout, stderr = client.communicate(timeout=60)
        said = (seen[number] + stdout).decode().split()
        assert [word for word in said if word != "got" and word != "hello"] in (
            ["from-the-first", "from-the-third", "end"],
            ["from-the-third", "from-the-first", "end"],
        )
        assert (client.returncode, stderr) == (6, b"")


def test_after_the_run_the_cli_is_refused_in_dockers_words(docker: Docker, container: Callable[..., str]) -> None:
    over = container("echo before; exit 3")
    docker.ok("wait", over)
    done = docker("attach", over)
    assert done.returncode == 1
    assert done.stderr.decode() == "You cannot attach to a stopped container, start it first\n"


def test_with_logs_an_attach_tells_what_came_before_and_goes_on_without_a_gap(
    docker: Docker, sdk: docker_sdk.DockerClient, container: Callable[..., str]
) -> None:
    counter = container("i=0; until [ -e /tmp/over ]; do i=$((i+1)); echo $i; sleep 0.01; done", until=b"20\n")
    stream = sdk.api.attach(counter, stdout=True, stderr=True, stream=True, logs=True)
    whole = [next(stream)]
    docker.ok("exec", counter, "touch", "/tmp/over")
    whole.extend(stream)
    lines = b"".join(whole).decode().splitlines()
    assert lines == docker.ok("logs", counter).splitlines()
    assert lines == [str(number) for number in range(1, len(lines) + 1)]


def test_an_attach_after_the_run_tells_what_was_written_when_it_asks_for_logs_and_ends(
    docker: Docker, sdk: docker_sdk.DockerClient, container: Callable[..., str]
) -> None:
    over = container("echo before; echo before-err >&2; exit 3")
    docker.ok("wait", over)
    assert sdk.api.attach(over, stdout=True, stderr=True, logs=True, demux=True) == (b"before\n", b"before-err\n")
    assert sdk.api.attach(over, stdout=True, stderr=False, logs=True) == b"before\n"
    assert sdk.api.attach(over, stdout=True, stderr=True, logs=False) == b""


def test_a_slow_reader_slows_its_process_and_nobody_else_and_gets_everything(docker: Docker, image: str) -> None:
    name = f"slow-{os.getpid()}"
    script = "dd if=/dev/zero bs=65536 count=1600 2>/dev/null; touch /tmp/written; sleep 100"
    reader = docker.start("run", "--name", name, image, "sh", "-c", script)
    assert reader.stdout is not None
    digest = hashlib.sha256(reader.stdout.read(65536))
    beside = docker("run", "--rm", image, "seq", "50000")
    assert beside.stdout == b"".join(b"%d\n" % number for number in range(1, 50_001))
    assert docker("exec", name, "test", "-e", "/tmp/written").returncode == 1
    rest: list[bytes] = []
    reading = threading.Thread(target=lambda: rest.extend(iter(lambda: reader.stdout.read(1 << 20), b"")))
    reading.start()
    eventually(lambda: docker("exec", name, "test", "-e", "/tmp/written").returncode == 0, timeout_s=60)
    docker.ok("kill", name)
    reading.join(timeout=60)
    for piece in rest:
        digest.update(piece)
    assert digest.hexdigest() == hashlib.sha256(bytes(1600 * 65536)).hexdigest()
    assert reader.wait(timeout=60) == 137
    docker.ok("rm", name)
