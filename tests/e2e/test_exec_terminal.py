"""docker exec -it under a pseudo-terminal, and attach by WebSocket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import unix_connect

from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


@pytest.fixture(scope="module")
def box(docker: Docker, image: str) -> Iterator[str]:
    """A container that runs for all of this module's tests."""
    container = docker.ok("run", "-d", image, "sleep", "100000")
    yield container
    docker.ok("rm", "-f", container)


def test_a_terminal_has_its_size_from_the_start_and_its_exit_status(docker: Docker, box: str) -> None:
    with Terminal(docker, "exec", "-it", box, "sh", "-c", "stty size; echo $TERM; test -t 0 && exit 5") as terminal:
        terminal.wait_for(b"33 77\r\nxterm\r\n")
        assert terminal.ended() == 5


def test_a_terminal_follows_the_window(docker: Docker, box: str) -> None:
    script = "trap 'stty size' WINCH; trap 'exit 4' INT; echo ready; while :; do sleep 0.1; done"
    with Terminal(docker, "exec", "-it", box, "sh", "-c", script) as terminal:
        terminal.wait_for(b"ready")
        assert terminal.follows(44, range(80, 100))
        terminal.type(b"\x03")
        assert terminal.ended() == 4


def test_ctrl_c_reaches_the_process(docker: Docker, box: str) -> None:
    script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
    with Terminal(docker, "exec", "-it", box, "sh", "-c", script) as terminal:
        terminal.wait_for(b"ready")
        terminal.type(b"\x03")
        terminal.wait_for(b"caught")
        assert terminal.ended() == 9


def test_a_shell_is_a_shell(docker: Docker, box: str) -> None:
    with Terminal(docker, "exec", "-it", box, "sh") as terminal:
        terminal.wait_for(b"# ")
        terminal.type(b"echo $((6*7))\r")
        terminal.wait_for(b"42\r\n")
        terminal.type(b"exit 3\r")
        assert terminal.ended() == 3


@pytest.mark.parametrize(("options", "keys"), [([], b"\x10\x11"), (["--detach-keys", "ctrl-a,x"], b"\x01x")])
def test_detach_keys_leave_the_process_running(docker: Docker, box: str, options: list[str], keys: bytes) -> None:
    mark = f"/tmp/detached-{keys.hex()}"
    script = f"echo ready; sleep 1; echo late; echo done > {mark}"
    with Terminal(docker, "exec", *options, "-it", box, "sh", "-c", script) as terminal:
        terminal.wait_for(b"ready")
        terminal.type(keys)
        terminal.wait_for(b"read escape sequence")
        assert terminal.ended() == 1
        assert b"late" not in terminal.output
    eventually(lambda: docker("exec", box, "cat", mark).stdout == b"done\n")


async def test_a_websocket_attaches_to_a_container(docker: Docker, image: str) -> None:
    name = f"websocket-{os.getpid()}"
    docker.ok("create", "-i", "--name", name, image, "sh", "-c", "read line; echo got $line; echo err >&2")
    path = docker.host.removeprefix("unix://")
    query = "stream=1&stdin=1&stdout=1&stderr=1"
    async with unix_connect(path, f"ws://docker/v1.44/containers/{name}/attach/ws?{query}") as socket:
        await asyncio.to_thread(docker.ok, "start", name)
        await socket.send(b"hello\n")
        async with asyncio.timeout(30):
            whole = b"".join([bytes(message) async for message in socket])
        assert (whole, socket.close_code) == (b"got hello\nerr\n", 1000)
    docker.ok("rm", "-f", name)
