"""The network and the daemon fail in the middle of whatever goes on: nothing hangs, and nothing is lost silently."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from typing import IO

import pytest

from tests.e2e import network
from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.engine, pytest.mark.terraform]

COUNT = "i=0; until [ -e %s ]; do i=$((i+1)); echo $i; sleep 0.02; done; exit %d"
LARGE_BYTES = 128 << 20
"""More than all buffers between a client and a container hold, so that a copy of it stands still while nobody reads."""
HELD_S = 20.0
DEADLINE_S = 90.0


class Everything:
    """Five clients of one container in the middle of their work: run, logs, exec, and a copy each way.

    run, logs and exec count lines until the test says so; the copies stand still halfway.
    """

    def __init__(self, docker: Docker, image: str, scene: Scene) -> None:
        self._docker = docker
        self.name = f"faults-{os.urandom(4).hex()}"
        self.run = docker.start("run", "--name", self.name, image, "sh", "-c", COUNT % ("/tmp/over", 9))
        eventually(lambda: docker("logs", self.name).stdout != b"")
        details = scene.tasks(scene.task_arn(self.id))[0]["attachments"][0]["details"]
        self.address = next(each["value"] for each in details if each["name"] == "privateIPv4Address")
        docker.ok("exec", self.name, "dd", "if=/dev/zero", "of=/tmp/large", "bs=1M", f"count={LARGE_BYTES >> 20}")
        self.logs = docker.start("logs", "-f", self.name)
        self.exec = docker.start("exec", self.name, "sh", "-c", COUNT % ("/tmp/exec-over", 3))
        self.copy_in = docker.start("cp", "-", f"{self.name}:/tmp")
        self.copy_out = docker.start("cp", f"{self.name}:/tmp/large", "-")
        self._sent = archive()
        pipe(self.copy_in.stdin).write(self._sent[: len(self._sent) // 2])
        self._seen = {each: first_bytes(each) for each in (self.run, self.logs, self.exec, self.copy_out)}

    @property
    def id(self) -> str:
        """The container's whole id."""
        return self._docker.inspect(self.name, "{{.Id}}")

    def tell(self, *files: str) -> None:
        """Ends what counts until one of these files is there."""
        self._docker.ok("exec", self.name, "touch", *files)

    def lines(self, client: subprocess.Popen[bytes]) -> list[str]:
        """All lines that a client printed, once it has ended."""
        return self._rest(client)[0].decode().splitlines()

    def copied_in(self) -> tuple[int, str]:
        """Sends the other half of the copy; (exit code, stderr) of its client."""
        with contextlib.suppress(BrokenPipeError):
            pipe(self.copy_in.stdin).write(self._sent[len(self._sent) // 2 :])
        _, stderr = self._rest(self.copy_in)
        return self.copy_in.returncode, stderr

    def copied_out(self) -> tuple[int, int]:
        """Reads the rest of the copy; (exit code, bytes of the archive) of its client."""
        archive, _ = self._rest(self.copy_out)
        return self.copy_out.returncode, len(archive)

    def ended(self, client: subprocess.Popen[bytes]) -> tuple[int, str]:
        """(exit code, stderr) of a client once it has ended."""
        _, stderr = self._rest(client)
        return client.returncode, stderr

    def clean(self) -> None:
        """Ends every client and removes the container."""
        for client in (self.run, self.logs, self.exec, self.copy_in, self.copy_out):
            client.kill()
            client.communicate()
        self._docker.ok("rm", "-f", self.name)

    def _rest(self, client: subprocess.Popen[bytes]) -> tuple[bytes, str]:
        stdout, stderr = client.communicate(timeout=DEADLINE_S)
        return self._seen.get(client, b"") + stdout, stderr.decode()


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """One of a client's pipes."""
    assert stream is not None
    return stream


def first_bytes(client: subprocess.Popen[bytes]) -> bytes:
    """The first that a client prints; past Python's own buffer, which communicate() does not look into."""
    return os.read(pipe(client.stdout).fileno(), 8)


def archive() -> bytes:
    """A tar archive of one large file, "copied"."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        info = tarfile.TarInfo("copied")
        info.size = LARGE_BYTES
        tar.addfile(info, io.BytesIO(os.urandom(1 << 20) * (LARGE_BYTES >> 20)))
    return written.getvalue()


def counted(lines: list[str]) -> bool:
    """Whether these are the numbers from 1 on, without a gap."""
    return bool(lines) and lines == [str(number) for number in range(1, len(lines) + 1)]


@pytest.fixture
def everything(docker: Docker, image: str, scene: Scene) -> Iterator[Everything]:
    """All at once, in the middle."""
    at_once = Everything(docker, image, scene)
    yield at_once
    at_once.clean()


def test_connections_that_are_reset_end_exec_and_copies_with_an_error_and_logs_go_on(
    docker: Docker, everything: Everything
) -> None:
    network.cut(everything.address)

    code, told = everything.ended(everything.exec)
    assert code != 0
    assert "the connection to the container's agent broke while the exec ran" in told
    code, told = everything.copied_in()
    assert code != 0, told
    code, length = everything.copied_out()
    assert code != 0
    assert length < LARGE_BYTES

    written = docker.ok("logs", everything.name)
    eventually(lambda: len(docker.ok("logs", everything.name)) > len(written))  # what comes after the break counts too
    everything.tell("/tmp/over")
    run, logs = everything.lines(everything.run), everything.lines(everything.logs)
    assert everything.run.returncode == 9
    assert everything.logs.returncode == 0
    assert counted(run)
    assert logs == run == docker.ok("logs", everything.name).splitlines()


@pytest.mark.slow
def test_a_network_that_is_held_for_20_s_delays_everything_and_loses_nothing(
    docker: Docker, everything: Everything
) -> None:
    with network.held(everything.address):
        time.sleep(HELD_S)
    everything.tell("/tmp/exec-over")
    execed = everything.lines(everything.exec)
    assert everything.exec.returncode == 3
    assert counted(execed)
    assert everything.copied_in() == (0, "")
    assert docker.ok("exec", everything.name, "wc", "-c", "/tmp/copied").split()[0] == str(LARGE_BYTES)
    code, length = everything.copied_out()
    assert code == 0
    assert length > LARGE_BYTES
    everything.tell("/tmp/over")
    run, logs = everything.lines(everything.run), everything.lines(everything.logs)
    assert everything.run.returncode == 9
    assert counted(run)
    assert logs == run


def test_a_daemon_that_is_killed_tells_every_client_and_the_next_one_finds_everything(
    docker: Docker, everything: Everything, crash: Callable[[], None]
) -> None:
    crash()

    for client in (everything.run, everything.logs, everything.exec):
        code, told = everything.ended(client)
        assert code != 0, told
    code, told = everything.copied_in()
    assert code != 0, told
    code, length = everything.copied_out()
    assert code != 0
    assert length < LARGE_BYTES

    following = docker.start("logs", "-f", everything.name)
    attached = docker.start("attach", "--no-stdin", everything.name)
    waiting = docker.start("wait", everything.name)
    since = docker.ok("logs", "--since", "1s", everything.name).splitlines()
    assert first_bytes(attached)
    assert docker.ok("exec", everything.name, "sh", "-c", "ps | grep -c '[e]xec-over'") == "1"
    docker.ok("cp", "-", f"{everything.name}:/tmp", stdin=archive())
    assert docker.ok("exec", everything.name, "wc", "-c", "/tmp/copied").split()[0] == str(LARGE_BYTES)
    everything.tell("/tmp/over")
    lines = following.communicate(timeout=DEADLINE_S)[0].decode().splitlines()
    assert counted(lines)
    assert since == lines[int(since[0]) - 1 : int(since[0]) - 1 + len(since)]
    assert attached.communicate(timeout=DEADLINE_S)[0].decode().splitlines()[-1] == lines[-1]
    assert attached.returncode == 9
    assert waiting.communicate(timeout=DEADLINE_S)[0] == b"9\n"
