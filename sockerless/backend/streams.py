"""docker attach and terminal resize."""

from __future__ import annotations

from dataclasses import replace

from sockerless.backend import events
from sockerless.backend.attachment import Attachment
from sockerless.backend.containers_find import find, require_running
from sockerless.backend.context import Backend
from sockerless.backend.logs import logs as archived
from sockerless.backend.reach import reachable
from sockerless.errors import Conflict, InvalidParameter
from sockerless.types import Container
from sockerless.wire import agent as wire
from sockerless.wire import detach_keys as keys


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
    """A client's attachment. On a container that does not run yet it waits for the start.

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
    query = wire.StreamQuery(stdin=takes_stdin and stream, stdout=stdout, stderr=stderr, replay=logs)
    attachment = Attachment(query, tty=tty, live=stream, detach_keys=sequence)
    if container.state.status == "running":
        await _connect(backend, container, attachment, stream=stream)
    elif not stream:
        kept = await archived(backend, container.id, wire.LogQuery(stdout=stdout, stderr=stderr)) if logs else None
        attachment.play(kept.chunks) if kept is not None else attachment.end()
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


async def _connect(backend: Backend, container: Container, attachment: Attachment, *, stream: bool) -> None:
    link = await reachable(backend, container)
    if stream:
        query = replace(attachment.query, running=True)
        attachment.connect(await link.open(wire.STREAMS, query.to_query()))
    elif attachment.query.replay:
        kept = wire.LogQuery(stdout=attachment.query.stdout, stderr=attachment.query.stderr)
        attachment.connect(await link.open(wire.LOGS, kept.to_query()))
    else:
        attachment.end()


async def resize(backend: Backend, reference: str, height: int, width: int) -> None:
    """Sets the terminal's size; harmless for a container without one. Conflict when it does not run."""
    container = find(backend, reference)
    require_running(container)
    if container.config.get("Tty"):
        link = await reachable(backend, container)
        await link.request("resize", height=height, width=width)
    events.emit(backend, container, "resize", height=str(height), width=str(width))
