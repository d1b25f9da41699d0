"""Daemons over the shared deployment: the one that `up` left, and others beside it with settings of their own."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sockerless.kit import background, processes, serve
from tests.conftest import Deployed
from tests.e2e.docker_cli import eventually

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Daemon:
    """A daemon in the background: its directory, which holds .sockerless/daemon.env, and its DOCKER_HOST."""

    directory: Path
    host: str

    @property
    def settings(self) -> dict[str, str]:
        """What its daemon.env says."""
        path = serve.env_file(self.directory)
        return serve.parse_env(path.read_text(), str(path))

    @property
    def log(self) -> str:
        """What it has written."""
        return processes.daemon_place(self.directory).log_path.read_text()

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Starts it with these variables added; returns once it answers."""
        background.start_and_wait(
            processes.daemon_place(self.directory),
            background.kit_argv("serve", "--dir", str(self.directory), "--host", self.host),
            os.environ | (environment or {}),
            lambda: processes.daemon_answers(self.host),
            TIMEOUT_S,
        )

    def kill(self) -> None:
        """kill -9; returns once it is gone."""
        place = processes.daemon_place(self.directory)
        running = background.find(place)
        assert running is not None, "no daemon runs"
        os.kill(running.pid, signal.SIGKILL)
        eventually(lambda: background.find(place) is None)

    def restart(self, environment: Mapping[str, str] | None = None) -> None:
        """kill -9, then a new daemon with these variables added."""
        self.kill()
        self.start(environment)

    def end(self) -> None:
        """Ends one that beside() made, with its records."""
        background.stop(processes.daemon_place(self.directory))
        shutil.rmtree(self.directory)


def shared(deployment: Deployed) -> Daemon:
    """The daemon of the deployment itself."""
    return Daemon(deployment.directory, deployment.docker_host)


def beside(deployment: Deployed, changes: Mapping[str, str]) -> Daemon:
    """A daemon over the same cluster with records of its own, not started; changes to daemon.env, "" unsets.

    It asks ECS about its tasks: the queue of events is the shared daemon's.
    """
    directory = Path(tempfile.mkdtemp(prefix="sockerless-"))  # short: it holds a unix socket
    own = {"SOCKERLESS_STATE_DIR": f"{directory}/.sockerless/state", "SOCKERLESS_EVENTS_QUEUE_URL": ""}
    settings = shared(deployment).settings | own | dict(changes)
    path = serve.env_file(directory)
    path.parent.mkdir(mode=0o700)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return Daemon(directory, f"unix://{directory}/.sockerless/docker.sock")
