"""The daemon in the foreground: from daemon.env to a served Docker API, until it is told to end.

Owns: how serve's configuration comes together, the default host, log lines, signals. Knows no endpoint.
Laws: the process environment wins over the file; containers keep running when the daemon ends; no value of a
secret variable is ever printed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sockerless import config
from sockerless.api import agents, server
from sockerless.backend import reconcile
from sockerless.backend.context import open_backend
from sockerless.config import Config
from sockerless.errors import InvalidParameter
from sockerless.kit import background, probe
from sockerless.kit.background import STATE_FOLDER

ENV_FILE = "daemon.env"
SOCKET = "docker.sock"
HOSTS_FILE = "hosts.json"
_KNOWN = {variable.name for variable in config.VARIABLES}


def env_file(directory: Path) -> Path:
    """DIR/.sockerless/daemon.env, which `apply` writes."""
    return directory / STATE_FOLDER / ENV_FILE


def default_host(directory: Path) -> str:
    """unix://DIR/.sockerless/docker.sock; InvalidParameter when that path is too long for a socket."""
    path = directory.absolute() / STATE_FOLDER / SOCKET
    probe.check_unix_path(path)
    return f"unix://{path}"


def check_host(host: str) -> None:
    """InvalidParameter, before anything is built, for a unix socket whose path is too long."""
    if host.startswith("unix://"):
        probe.check_unix_path(Path(host.removeprefix("unix://")))


def remember_hosts(directory: Path, hosts: Sequence[str]) -> None:
    """Leaves word, in DIR/.sockerless/hosts.json, where this deployment's daemon is to be found."""
    (directory / STATE_FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    background.write_private(directory / STATE_FOLDER / HOSTS_FILE, json.dumps(list(hosts)) + "\n")


def known_hosts(directory: Path) -> list[str]:
    """Where the directory's daemon was last served; its default host when it never was."""
    try:
        return [str(host) for host in json.loads((directory / STATE_FOLDER / HOSTS_FILE).read_text())]
    except (FileNotFoundError, ValueError):
        return [f"unix://{directory.absolute() / STATE_FOLDER / SOCKET}"]


def parse_env(text: str, source: str) -> dict[str, str]:
    """NAME=value lines by name; blank lines and lines that start with # say nothing.

    InvalidParameter, with source and the line's number, for anything else: an unknown name, one said twice.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise InvalidParameter(f"{source}, line {number}: expected NAME=value")
        if name not in _KNOWN:
            raise InvalidParameter(f"{source}, line {number}: {name[:80]!r} is no variable of the daemon")
        if name in values:
            raise InvalidParameter(f"{source}, line {number}: {name} is set twice")
        values[name] = value
    return values


def load_config(directory: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """The daemon's configuration: daemon.env of the directory, where it exists, under the given environment."""
    path = env_file(directory)
    in_file = parse_env(path.read_text(), str(path)) if path.exists() else {}
    given = {name: value for name, value in environment.items() if name in _KNOWN and value}
    return config.load(in_file | given)


def run(directory: Path, hosts: Sequence[str]) -> None:
    """Serves the directory's deployment on every host (none: the default one) until SIGINT or SIGTERM."""
    configuration = load_config(directory)
    hosts = hosts or [default_host(directory)]
    remember_hosts(directory, hosts)
    _log_to_stderr()
    asyncio.run(_serve(configuration, hosts))


async def _serve(configuration: Config, hosts: Sequence[str]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with open_backend(configuration) as backend, agents.listening(backend):
        await reconcile.start_up(backend)
        await server.serve(backend, list(hosts), stopped)


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
