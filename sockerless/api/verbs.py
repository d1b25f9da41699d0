"""What the API asks of the backend: one callable a verb, bound to its backend in app.py.

A handler knows these and nothing behind them; a test hands in callables of its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sockerless.registry.auth import RegistryAuth
from sockerless.types import Change, Container, Event, Exec, Image, JsonObject
from sockerless.wire.agent import LogQuery
from sockerless.wire.agent_files import PathStat
from sockerless.wire.filters import Filters


class WaitResult(Protocol):
    """The exit code and, when the container could not be waited for, why."""

    @property
    def status_code(self) -> int: ...
    @property
    def error(self) -> str | None: ...


class Attachment(Protocol):
    """One attached client. read() returns bytes ready for the client, b"" at the end.

    close(): the client has gone. abandon(): the daemon ends, and the client may come back to the next one.
    """

    tty: bool

    async def read(self) -> bytes: ...
    async def write(self, data: bytes) -> None: ...
    async def write_eof(self) -> None: ...
    async def close(self) -> None: ...
    async def abandon(self) -> None: ...


class LogStream(Protocol):
    """A container's output as bytes ready for the client; tty: raw bytes instead of stdcopy frames."""

    @property
    def tty(self) -> bool: ...
    @property
    def chunks(self) -> AsyncGenerator[bytes]: ...


@dataclass(frozen=True, slots=True)
class AttachRequest:
    """What an attach asks for. logs: first what was written before; stream: then what is written from now on."""

    stdin: bool
    stdout: bool
    stderr: bool
    stream: bool
    logs: bool
    detach_keys: str


@dataclass(frozen=True, slots=True)
class ExecStart:
    """What an exec's start asks for. tty: raw bytes; console_size: (height, width) or None: as create said."""

    detach: bool
    tty: bool
    console_size: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What a pull asks for. auth: the client's credentials for that registry; platform: "os/architecture" or ""."""

    from_image: str
    tag: str
    auth: RegistryAuth | None
    platform: str


@dataclass(frozen=True, slots=True)
class Verbs:
    """Everything the API can do. Verbs raise the classes of errors.py; a reference is an id, a prefix or a name.

    create: name or None, Config, HostConfig, NetworkingConfig, platform -> (id, warnings).
    list_containers: filters, all, limit (below 1: no limit). stop, restart: timeout_s (None: the container's own,
    negative: for ever), signal (None: the container's own). begin_wait registers before it returns.
    create_exec: container, ExecConfig -> id. check_exec: raises what a start would, before its client is hijacked.
    remove: force, volumes. prune: which stopped containers -> ids. list_images: filters, all. load: path of the
    uploaded archive, quiet. remove_image: force, prune untagged parents. events: filters, since_ns, until_ns.
    top: ps's arguments. stats: stream, one_shot. update: members of HostConfig -> warnings.
    """

    info: Callable[[], JsonObject]
    version: Callable[[], JsonObject]
    create: Callable[[str | None, JsonObject, JsonObject, JsonObject, str], Awaitable[tuple[str, list[str]]]]
    find: Callable[[str], Container]
    list_containers: Callable[[Filters, bool, int], list[Container]]
    start: Callable[[str], Awaitable[None]]
    stop: Callable[[str, int | None, str | None], Awaitable[None]]
    restart: Callable[[str, int | None, str | None], Awaitable[None]]
    kill: Callable[[str, str], Awaitable[None]]
    begin_wait: Callable[[str, str], Awaitable[WaitResult]]
    remove: Callable[[str, bool, bool], Awaitable[None]]
    prune: Callable[[Callable[[Container], bool]], Awaitable[list[str]]]
    rename: Callable[[str, str], Awaitable[None]]
    attach: Callable[[str, AttachRequest], Awaitable[Attachment]]
    resize: Callable[[str, int, int], Awaitable[None]]
    pause: Callable[[str], Awaitable[None]]
    unpause: Callable[[str], Awaitable[None]]
    top: Callable[[str, str], Awaitable[JsonObject]]
    stats: Callable[[str, bool, bool], AsyncIterator[JsonObject]]
    update: Callable[[str, JsonObject], Awaitable[list[str]]]
    logs: Callable[[str, LogQuery], Awaitable[LogStream]]
    create_exec: Callable[[str, JsonObject], str]
    check_exec: Callable[[str], None]
    start_exec: Callable[[str, ExecStart], Awaitable[Attachment]]
    inspect_exec: Callable[[str], Awaitable[Exec]]
    resize_exec: Callable[[str, int, int], Awaitable[None]]
    unfinished_execs: Callable[[Container], list[str]]
    stat_path: Callable[[str, str], Awaitable[PathStat]]
    get_archive: Callable[[str, str], Awaitable[tuple[PathStat, AsyncGenerator[bytes]]]]
    put_archive: Callable[[str, str, AsyncIterator[bytes], bool, bool], Awaitable[None]]
    export: Callable[[str], Awaitable[AsyncGenerator[bytes]]]
    changes: Callable[[str], Awaitable[list[Change]]]
    find_image: Callable[[str], Image]
    list_images: Callable[[Filters, bool], list[Image]]
    pull: Callable[[PullRequest], AsyncIterator[JsonObject]]
    load: Callable[[Path, bool], AsyncIterator[JsonObject]]
    tag_image: Callable[[str, str, str], None]
    remove_image: Callable[[str, bool, bool], list[JsonObject]]
    events: Callable[[Filters, int | None, int | None], AsyncIterator[Event]]
