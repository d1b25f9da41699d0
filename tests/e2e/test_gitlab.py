"""GitLab Runner's way with a container: attach to it idle, start it, feed its shell a script, wait beside, again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import docker as docker_sdk
import pytest
from docker.utils.socket import STDERR, STDOUT, frames_iter

pytestmark = [pytest.mark.engine, pytest.mark.terraform]

SCRIPT = b"echo stage $((6*7))\necho to stderr >&2\nexit 3\n"
FRAMES = [(STDOUT, b"stage 42\n"), (STDERR, b"to stderr\n")]


class Stage:
    """One run of the runner's container: attached before its start, waited for beside it."""

    def __init__(self, sdk: docker_sdk.DockerClient, container: str) -> None:
        self._api, self._container = sdk.api, container
        flags = dict.fromkeys(("stream", "stdin", "stdout", "stderr"), 1)
        self._stream = self._api.attach_socket(container, params=flags)
        self._codes: list[int] = []
        self._waiting = threading.Thread(target=self._wait)

    def run(self, script: bytes, half_close: bool) -> tuple[list[tuple[int, bytes]], int]:
        """Starts the container, sends the script; the frames that came and the exit code."""
        self._api.start(self._container)
        self._waiting.start()
        connection: socket.socket = self._stream._sock
        connection.sendall(script)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        frames = [(kind, bytes(payload)) for kind, payload in frames_iter(self._stream, tty=False)]
        self._waiting.join(timeout=60)
        self._stream.close()
        return frames, self._codes[0]

    def _wait(self) -> None:
        self._codes.append(self._api.wait(self._container, condition="not-running")["StatusCode"])


@pytest.fixture
def shell(sdk: docker_sdk.DockerClient, image: str) -> Iterator[str]:
    """A created container whose shell takes its script from stdin, as GitLab Runner makes it."""
    made = sdk.api.create_container(image, ["sh"], stdin_open=True, host_config=sdk.api.create_host_config())
    container = str(made["Id"])
    yield container
    sdk.api.remove_container(container, force=True)


@pytest.mark.parametrize("half_close", [True, False], ids=["half-close", "open"])
def test_a_script_on_stdin_runs_and_the_same_container_runs_the_next(
    sdk: docker_sdk.DockerClient, shell: str, half_close: bool
) -> None:
    for _ in range(2):
        frames, code = Stage(sdk, shell).run(SCRIPT, half_close)
        assert frames == FRAMES
        assert code == 3


@pytest.mark.slow
def test_an_attached_client_may_be_idle_for_two_minutes_before_the_start(
    sdk: docker_sdk.DockerClient, shell: str
) -> None:
    stage = Stage(sdk, shell)
    time.sleep(120)  # the fact under test: neither side gives up on a silent connection
    assert stage.run(SCRIPT, half_close=True) == (FRAMES, 3)
