"""The awslogs driver: a container's output, line by line, into the simulated CloudWatch Logs.

One event a line, stdout and stderr in one stream, empty lines dropped, lines cut at 262,118 bytes, invalid UTF-8
replaced, timestamps in milliseconds that never go back: as the driver does.
Source: moby daemon/logger/awslogs (maximumBytesPerEvent, processEvent); Engine API, "Stream format".
"""

from __future__ import annotations

import http.client
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from threading import Event, Thread
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.logs.models import logs_backends

from sockerless.errors import SockerlessError
from sockerless.simulator.engine import Engine
from sockerless.simulator.failures import ResourceInitializationError
from sockerless.simulator.tasks import Task, TaskContainer

MAX_EVENT_BYTES = 262_118
MAX_BATCH_EVENTS = 10_000
MAX_BATCH_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
_FRAME_HEADER = struct.Struct(">BxxxI")
_READ_BYTES = 256 * 1024

LogEvent = dict[str, Any]


class Lines:
    """Cuts a byte stream into awslogs messages."""

    def __init__(self) -> None:
        self._partial = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that data completed."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        messages = [piece for line in lines for piece in _pieces(line)]
        while len(self._partial) >= MAX_EVENT_BYTES:
            messages.append(self._partial[:MAX_EVENT_BYTES])
            self._partial = self._partial[MAX_EVENT_BYTES:]
        return messages

    def end(self) -> list[bytes]:
        """The message that an end without a newline leaves."""
        rest, self._partial = self._partial, b""
        return list(_pieces(rest))


def _pieces(line: bytes) -> Iterator[bytes]:
    for start in range(0, len(line), MAX_EVENT_BYTES):
        yield line[start : start + MAX_EVENT_BYTES]


class Demultiplexer:
    """Splits the engine's multiplexed stream into messages, each stream's lines its own. tty: the stream is raw."""

    def __init__(self, tty: bool) -> None:
        self._tty = tty
        self._buffer = bytearray()
        self._lines: dict[int, Lines] = {1: Lines(), 2: Lines()}

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that data completed, in the order their last byte came."""
        if self._tty:
            return self._lines[1].feed(data)
        self._buffer += data
        messages: list[bytes] = []
        position = 0
        while len(self._buffer) - position >= _FRAME_HEADER.size:
            stream, length = _FRAME_HEADER.unpack_from(self._buffer, position)
            end = position + _FRAME_HEADER.size + length
            if len(self._buffer) < end:
                break
            messages += self._lines[stream].feed(bytes(self._buffer[position + _FRAME_HEADER.size : end]))
            position = end
        del self._buffer[:position]
        return messages

    def end(self) -> list[bytes]:
        """What the streams' ends leave."""
        return [message for lines in self._lines.values() for message in lines.end()]


def batches(events: list[LogEvent], sizes: list[int]) -> Iterator[list[LogEvent]]:
    """events in PutLogEvents' batches: at most MAX_BATCH_EVENTS and MAX_BATCH_BYTES, overhead counted."""
    batch: list[LogEvent] = []
    batch_bytes = 0
    for event, size in zip(events, sizes, strict=True):
        cost = size + EVENT_OVERHEAD_BYTES
        if batch and (len(batch) == MAX_BATCH_EVENTS or batch_bytes + cost > MAX_BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(event)
        batch_bytes += cost
    if batch:
        yield batch


class LogStream:
    """One awslogs stream, created on construction. ResourceInitializationError when it cannot be."""

    def __init__(
        self, account_id: str, lock: AbstractContextManager[Any], task: Task, container: TaskContainer
    ) -> None:
        options = container.definition["logConfiguration"].get("options") or {}
        self._group = str(options["awslogs-group"])
        self._name = f"{options['awslogs-stream-prefix']}/{container.name}/{task.id}"
        self._backend = logs_backends[account_id][options["awslogs-region"]]
        self._lock = lock
        with lock:
            if options.get("awslogs-create-group") == "true" and self._group not in self._backend.groups:
                self._backend.create_log_group(self._group, {})
            try:
                self._backend.create_log_stream(self._group, self._name)
            except JsonRESTError as error:
                raise ResourceInitializationError(
                    "failed to validate logger args: create stream has been retried 1 times: failed to create "
                    "Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, https response error "
                    f"StatusCode: 400, {error.error_type}: {error.message} : exit status 1"
                ) from error

    def put(self, messages: list[bytes], timestamp_ms: int) -> None:
        """Appends messages; does nothing when the group or stream was deleted meanwhile, as awslogs only warns."""
        texts = [message.decode(errors="replace") for message in messages]
        events = [{"timestamp": timestamp_ms, "message": text} for text in texts]
        sizes = [len(text) if text.isascii() else len(text.encode()) for text in texts]
        for batch in batches(events, sizes):
            with self._lock:
                group = self._backend.groups.get(self._group)
                if group is None or self._name not in group.streams:
                    return
                self._backend.put_log_events(self._group, self._name, batch)


class Pump:
    """Carries one container's output to its consumer. attach() before the container starts, drain() after it ended."""

    def __init__(
        self, engine: Engine, container_id: str, tty: bool, consume: Callable[[list[bytes], int], None]
    ) -> None:
        self._engine, self._id = engine, container_id
        self._demultiplexer = Demultiplexer(tty)
        self._consume = consume
        self._attached = Event()
        self._failure: SockerlessError | None = None
        self._last_ms = 0
        self._thread = Thread(target=self._run, name=f"awslogs-{container_id[:12]}", daemon=True)

    def attach(self) -> None:
        """Returns once the engine sends the container's output here. EngineError, Unavailable."""
        self._thread.start()
        self._attached.wait()
        if self._failure:
            raise self._failure

    def drain(self) -> None:
        """Returns once the last byte of an ended container has been consumed."""
        self._thread.join()

    def _run(self) -> None:
        query = {"stream": "1", "stdout": "1", "stderr": "1"}
        with ExitStack() as stack:
            try:
                response = stack.enter_context(self._engine.stream("POST", f"/containers/{self._id}/attach", query))
            except SockerlessError as error:
                self._failure = error
                return
            finally:
                self._attached.set()
            self._copy(response)

    def _copy(self, response: http.client.HTTPResponse) -> None:
        try:
            while data := response.read1(_READ_BYTES):
                self._deliver(self._demultiplexer.feed(data))
        except (OSError, http.client.HTTPException):
            pass  # the engine is gone: what it sent is all there is
        self._deliver(self._demultiplexer.end())

    def _deliver(self, messages: list[bytes]) -> None:
        if messages:
            self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
            self._consume(messages, self._last_ms)
