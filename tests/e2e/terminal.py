"""A pseudo-terminal with the docker CLI on it, driven as a person would."""

from __future__ import annotations

import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterable
from fcntl import ioctl
from types import TracebackType

from tests.e2e.docker_cli import Docker


class Terminal:
    """docker ARGUMENTS on a terminal of this size; killed at the end of the with statement."""

    def __init__(self, docker: Docker, *arguments: str, rows: int = 33, columns: int = 77) -> None:
        self._master, slave = pty.openpty()
        self.output = b""
        self.resize(rows, columns)
        self._process = subprocess.Popen(
            ["docker", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=docker.environment,
            start_new_session=True,
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def resize(self, rows: int, columns: int) -> None:
        """Changes the size; the CLI hears of it by SIGWINCH."""
        ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def follows(self, rows: int, columns: Iterable[int]) -> bool:
        """Whether the process is told a new size and prints it; several, for the CLI may not watch its window yet."""
        sizes = ((rows, wide, b"%d %d\r\n" % (rows, wide)) for wide in columns)
        return any(self.resize(high, wide) or self.shows(text, 1) for high, wide, text in sizes)

    def type(self, keys: bytes) -> None:
        """Types keys."""
        os.write(self._master, keys)

    def wait_for(self, text: bytes, timeout_s: float = 30) -> None:
        """Returns once the output has text behind what was waited for before; fails with the output otherwise."""
        assert self.shows(text, timeout_s), f"{text!r} is not in {self.output!r}"

    def shows(self, text: bytes, timeout_s: float) -> bool:
        """Whether the output has text within the time, behind what was waited for before."""
        deadline = time.monotonic() + timeout_s
        while text not in self.output:
            if not self._read(deadline):
                return False
        self.output = self.output.partition(text)[2]
        return True

    def ended(self, timeout_s: float = 30) -> int:
        """The CLI's exit code, once it has ended; output is what came last."""
        deadline = time.monotonic() + timeout_s
        while self._read(deadline):
            pass
        return self._process.wait(timeout=5)

    def _read(self, deadline: float) -> bool:
        """Whether anything came, before the deadline and the end."""
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([self._master], [], [], left_s)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        self.output += data
        return bool(data)
