"""docker attach and terminal resize."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from sockerless.backend import events
from sockerless.backend.attach_stream import AttachStream, open_stream
from sockerless.backend.attachment import Attachment
from sockerless.backend.containers_find import find, require_running
from sockerless.backend.context import Backend
from sockerless.backend.logs import shown
from sockerless.backend.reach import reachable
from sockerless.errors import Conflict, InvalidParameter
from sockerless.types import Container
from sockerless.wire import detach_keys as keys
from sockerless.wire.agent import LogQuery
from sockerless.wire.agent_output import StreamQuery


async def attach(
    backend: Backend,
    reference: str,
    *,
    stdin: bool,
    stdout: bool,
    stderr: bool,
    stream: bool,
    logs: bool,
    detach_keys: str,
) -> Attachment:
    """A client's attachment. On a container that does not run it waits for the next start, as Docker's does.

    stream: wants live output; logs: wants what was kept first. Neither: ends at once. InvalidParameter for bad keys,
    Conflict while it is paused or waits for its restart.
    """
    container = find(backend, reference)
    if container.state.status == "paused":
        raise Conflict(f"container {container.id} is paused, unpause the container before attach")
    if container.state.status == "restarting":
        raise Conflict(f"container {container.id} is restarting, wait until the container is running")
    try:
        sequence = keys.parse(detach_keys or keys.DEFAULT)
    except ValueError as error:
        raise InvalidParameter(str(error)) from error
    tty, takes_stdin = bool(container.config.get("Tty")), stdin and bool(container.config.get("OpenStdin"))
    query = StreamQuery(stdin=takes_stdin and stream, stdout=stdout, stderr=stderr)
    attachment = Attachment(query, tty=tty, live=stream, detach_keys=sequence)
    runs = container.state.status == "running"
    live = await _live(backend, container, query) if runs and stream else None
    if logs:
        attachment.play(_kept(backend, container, query, live))
    if live is not None:
        attachment.connect(live)
    if not (logs or stream):
        attachment.end()
    events.emit(backend, container, "attach")
    if not attachment.ended:
        attachments = backend.lives.of(container.id).attachments
        attachments.add(attachment)
        attachment.on_end(lambda: attachments.discard(attachment))
        attachment.on_end(lambda: _tell_detached(backend, container, attachment))
    return attachment


def _tell_detached(backend: Backend, container: Container, attachment: Attachment) -> None:
    if attachment.detached:
        events.emit(backend, container, "detach")


async def _live(backend: Backend, container: Container, query: StreamQuery) -> AttachStream:
    """The output of the run that is on, from now on."""
    return await open_stream(backend, container, await reachable(backend, container), replace(query, running=True))


def _kept(
    backend: Backend, container: Container, query: StreamQuery, live: AttachStream | None
) -> AsyncGenerator[bytes]:
    """The output up to now: to where live begins, or to the end of the last run."""
    select = LogQuery(stdout=query.stdout, stderr=query.stderr)
    if live is not None:
        return shown(backend, container, select, live.position)
    ended = container.state.status not in {"running", "paused"}
    return shown(backend, container, replace(select, until_ns=max(0, container.last_log_ns) if ended else 0))


async def resize(backend: Backend, reference: str, height: int, width: int) -> None:
    """Sets the terminal's size; harmless for a container without one. Conflict when it does not run."""
    container = find(backend, reference)
    require_running(container)
    if container.config.get("Tty"):
        link = await reachable(backend, container)
        await link.request("resize", height=height, width=width)
    events.emit(backend, container, "resize", height=str(height), width=str(width))
