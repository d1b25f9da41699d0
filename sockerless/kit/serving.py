"""Where the daemon of a directory serves the Docker API, and which process that is.

Owns: the default host, the check of a host, and DIR/.sockerless/hosts.json, which the daemon writes itself once every
host answers. So a daemon in the foreground is found as one in the background is, and neither is taken for the other.
Knows no endpoint.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from sockerless.kit import background, probe
from sockerless.kit.background import STATE_FOLDER, Identity

SOCKET = "docker.sock"
HOSTS_FILE = "hosts.json"


def default_host(directory: Path) -> str:
    """unix://DIR/.sockerless/docker.sock; InvalidParameter when that path is too long for a socket."""
    path = directory.absolute() / STATE_FOLDER / SOCKET
    probe.check_unix_path(path)
    return f"unix://{path}"


def check_host(host: str) -> None:
    """InvalidParameter, before anything is built, for a unix socket whose path is too long."""
    if host.startswith("unix://"):
        probe.check_unix_path(Path(host.removeprefix("unix://")))


def remember(directory: Path, served: Sequence[str]) -> None:
    """Leaves word that this process serves the directory's deployment on these hosts."""
    document = {"hosts": list(served), "process": background.identity(os.getpid()).document()}
    background.write_private(_path(directory), json.dumps(document) + "\n")


def hosts(directory: Path) -> list[str]:
    """Where the directory's daemon was last served; its default host when it never was."""
    found = _read(directory).get("hosts")
    if isinstance(found, list):
        return [str(host) for host in found]
    return [f"unix://{directory.absolute() / STATE_FOLDER / SOCKET}"]


def process(directory: Path) -> Identity | None:
    """The process that serves the directory's deployment now, in the background or not; None when none does."""
    return background.alive(_read(directory).get("process"))


def _path(directory: Path) -> Path:
    return directory / STATE_FOLDER / HOSTS_FILE


def _read(directory: Path) -> dict[str, object]:
    try:
        document = json.loads(_path(directory).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
