"""The pause program, bytes and process."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from sockerless.errors import NotSupported
from sockerless.simulator import pause


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", 62), ("amd64", 62), ("aarch64", 183), ("arm64", 183)])
def test_it_is_a_small_static_executable_of_its_machine(architecture: str, machine: int) -> None:
    program = pause.program(architecture)
    assert program[:7] == b"\x7fELF\x02\x01\x01"
    assert int.from_bytes(program[16:18], "little") == 2
    assert int.from_bytes(program[18:20], "little") == machine
    assert len(program) < 256


def test_other_machines_are_refused_by_name() -> None:
    with pytest.raises(NotSupported, match="riscv64"):
        pause.program("riscv64")


def test_it_sleeps_until_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "pause"
    architecture = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
    path.write_bytes(pause.program(architecture))
    path.chmod(0o755)
    process = subprocess.Popen([path])
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    ignored = re.search("SigIgn:\t([0-9a-f]+)", Path(f"/proc/{process.pid}/status").read_text())
    assert ignored
    assert int(ignored[1], 16) >> (signal.SIGCHLD - 1) & 1
    process.kill()
    assert process.wait(5) == -9
