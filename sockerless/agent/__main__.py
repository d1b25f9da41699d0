"""The agent's command line: `serve` in a user's container, `install DEST` in the task that fills the file system.

Owns the order of start-up and of the end. Everything the agent itself says is a notice in the archive, because its
standard output is the container's log.
"""

from __future__ import annotations

import os
import sys

# The image's own OpenSSL configuration is not ours to read; this must stand before ssl is imported.
os.environ["OPENSSL_CONF"] = os.devnull

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from sockerless.agent.archive import Archive
from sockerless.agent.credentials import Credentials, erase_initial_environment, server_context, take
from sockerless.agent.journal import Journal
from sockerless.agent.lifecycle import Lifecycle
from sockerless.agent.server import AgentServer
from sockerless.errors import InvalidParameter
from sockerless.wire.agent import STATE_DIR

BUNDLE = Path(sys.executable).parent.parent
USAGE = "usage: python -m sockerless.agent serve | install DEST"


class NoticeHandler(logging.Handler):
    """Turns log records into notices, without the tracebacks of clients that fail to shake hands."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(logging.ERROR)
        self._archive = archive

    def emit(self, record: logging.LogRecord) -> None:
        """Adds the record's message and its exception, in one line."""
        error = record.exc_info[1] if record.exc_info else None
        self._archive.notice(record.getMessage() + (f": {error!r}" if error else ""))


async def serve() -> int:
    """Serves until the container's life is over; returns its exit code."""
    os.umask(0o022)
    credentials = take(os.environ)
    erase_initial_environment()
    if not os.access(STATE_DIR, os.W_OK):
        raise InvalidParameter(
            f"{STATE_DIR} is not a directory that can be written: the task must mount a volume there"
        )
    own_environment = dict(os.environ)
    loop = asyncio.get_running_loop()
    journal = Journal(Path(STATE_DIR))
    archive = Archive(journal, sys.stdout.fileno())
    archiving = asyncio.create_task(archive.run())
    logger = _logger(archive, loop)
    lifecycle = Lifecycle(journal, archive, own_environment, credentials.patience_s)
    lifecycle.install_signals(loop)
    server = AgentServer(lifecycle, credentials.token, version(), logger)
    leave = await _open(server, credentials, archive)
    archive.notice(f"agent {version()} serves container {credentials.agent_id}")
    code = await lifecycle.live()
    await server.drain()
    await leave()
    await archive.drain(archiving)
    return code


async def _open(server: AgentServer, credentials: Credentials, archive: Archive) -> Callable[[], Awaitable[None]]:
    """Puts the server where the daemon reaches it; returns what is to be awaited once the server is drained."""
    tls = server_context(credentials)
    if not credentials.callback_url:
        await server.listen(tls)
        return _nothing
    from sockerless.agent.callback import Callback, private_socket  # a dialled agent starts without a client's modules

    listening = private_socket()
    await server.listen(tls, listening)
    return Callback(credentials, os.fsdecode(listening.getsockname()), archive.notice).close


async def _nothing() -> None:
    return None


def version() -> str:
    """The version of the bundle this runs from; "unbundled" elsewhere."""
    try:
        return (BUNDLE / "version").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return "unbundled"


def _logger(archive: Archive, loop: asyncio.AbstractEventLoop) -> logging.Logger:
    logger = logging.getLogger("sockerless.agent")
    logger.propagate = False
    logger.addHandler(NoticeHandler(archive))
    loop.set_exception_handler(lambda _, context: archive.notice(f"{context['message']}: {context.get('exception')!r}"))
    return logger


def main(arguments: list[str]) -> int:
    """Runs one command; returns the exit code."""
    match arguments:
        case ["serve"]:
            try:
                return asyncio.run(serve())
            except InvalidParameter as error:
                print(error.message, file=sys.stderr)  # noqa: T201 - there is no archive yet
                return 125
        case ["install", destination]:
            from sockerless.agent.install import install  # what it imports would slow every container's start

            install(BUNDLE, version(), Path(destination))
            return 0
    print(USAGE, file=sys.stderr)  # noqa: T201 - a command's output
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
