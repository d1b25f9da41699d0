"""The unmodified docker CLI against one daemon."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Docker:
    """docker with DOCKER_HOST set and a configuration directory of its own; no other variable of the caller's."""

    host: str
    config_directory: str
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "DOCKER_HOST": self.host,
            "DOCKER_CONFIG": self.config_directory,
            "HOME": self.config_directory,
            **self.extra,
        }

    def __call__(
        self, *arguments: str, stdin: bytes | None = None, timeout_s: float = 120
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs it to its end; the result has returncode, stdout and stderr."""
        return subprocess.run(
            ["docker", *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=self.environment,
            timeout=timeout_s,
            check=False,
        )

    def ok(self, *arguments: str, stdin: bytes | None = None, timeout_s: float = 120) -> str:
        """Its stdout without the last newline; fails with its stderr when it does not end with 0."""
        done = self(*arguments, stdin=stdin, timeout_s=timeout_s)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.returncode}: {done.stderr.decode()}"
        return done.stdout.decode().removesuffix("\n")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts it with pipes, for a command that goes on."""
        return subprocess.Popen(
            ["docker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )

    def inspect(self, container: str, template: str) -> str:
        """`docker inspect --format`."""
        return self.ok("inspect", "--type", "container", "--format", template, container)


def eventually(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Returns once condition holds; fails after timeout_s."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
