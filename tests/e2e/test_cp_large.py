"""A file of 2 GiB in and out of a container: whole, and in constant memory at the daemon and at the agent."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sockerless.kit import background, processes
from tests.e2e.daemon import Daemon
from tests.e2e.docker_cli import Docker

pytestmark = [pytest.mark.engine, pytest.mark.terraform, pytest.mark.slow]

BLOCK_BYTES, BLOCKS = 1 << 20, 2048
MOST_KIB = 96 * 1024
"""What either process may ever hold: a small part of the file."""


@pytest.fixture
def box(docker: Docker, image: str) -> Iterator[str]:
    """A container that runs."""
    container = docker.ok("run", "-d", image, "sleep", "100000")
    yield container
    docker.ok("rm", "-f", container)


def digest(path: Path) -> str:
    """The file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def peak_kib(status: str) -> int:
    """The most resident memory a process ever had, by its /proc/PID/status."""
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def test_two_gibibytes_go_in_and_come_out_in_constant_memory(
    docker: Docker, box: str, daemon: Daemon, tmp_path: Path
) -> None:
    large, copy = tmp_path / "large", tmp_path / "copy"
    block = os.urandom(BLOCK_BYTES)
    with large.open("wb") as file:
        for number in range(BLOCKS):
            file.write(number.to_bytes(8, "big") + block[8:])
    serving = background.find(processes.daemon_place(daemon.directory))
    assert serving is not None
    status = Path(f"/proc/{serving.pid}/status")
    before_kib = peak_kib(status.read_text())
    docker.ok("cp", str(large), f"{box}:/tmp/large", timeout_s=600)
    assert docker.ok("exec", box, "sha256sum", "/tmp/large", timeout_s=600).split()[0] == digest(large)
    docker.ok("cp", f"{box}:/tmp/large", str(copy), timeout_s=600)
    assert digest(copy) == digest(large)
    assert peak_kib(status.read_text()) - before_kib < MOST_KIB
    assert peak_kib(docker.ok("exec", box, "cat", "/proc/1/status")) < MOST_KIB
    large.unlink()
    copy.unlink()
