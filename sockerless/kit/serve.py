"""The daemon in the foreground: from daemon.env to a served Docker API, until it is told to end.

Owns: how serve's configuration comes together, log lines, signals. Knows no endpoint.
Laws: the process environment wins over the file; containers keep running when the daemon ends; no value of a
secret variable is ever printed.
"""

from __future__ import annotations

import asyncio
import difflib
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
from sockerless.kit import serving
from sockerless.kit.background import STATE_FOLDER

ENV_FILE = "daemon.env"
_AS_NEAR = 0.8
"""How like it is to a known name what is asked back: they all begin alike, which is no likeness."""
_KNOWN = {variable.name for variable in config.VARIABLES}


def env_file(directory: Path) -> Path:
    """DIR/.sockerless/daemon.env, which `apply` writes."""
    return directory / STATE_FOLDER / ENV_FILE


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
            near = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=_AS_NEAR)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InvalidParameter(f"{source}, line {number}: {name[:80]!r} is no variable of the daemon{hint}")
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
    hosts = hosts or [serving.default_host(directory)]
    _log_to_stderr()
    asyncio.run(_serve(configuration, directory, hosts))


async def _serve(configuration: Config, directory: Path, hosts: Sequence[str]) -> None:
    stopped, listening = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with open_backend(configuration) as backend, agents.listening(backend):
        await reconcile.start_up(backend)
        announcing = asyncio.create_task(_announce(listening, directory, hosts), name="announcing")
        try:
            await server.serve(backend, list(hosts), stopped, listening)
        finally:
            announcing.cancel()


async def _announce(listening: asyncio.Event, directory: Path, hosts: Sequence[str]) -> None:
    await listening.wait()
    serving.remember(directory, hosts)


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
