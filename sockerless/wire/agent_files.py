"""FILES of wire/agent.py: the container's files as tar archives, one operation to a connection.

Daemon to agent: the opening text frame (``FilesRequest``); for "put" binary frames that are a tar archive, and the text
frame STDIN_EOF after them. Agent to daemon: the text frame ``Ok`` or ``Refused``, after a refusal closed with 1000;
for "get", "export" and "list" binary frames; at the end the text frame ``Done``, or ``Refused`` when the operation
failed on the way, closed with 1000. A connection that closes before either was cut.

Operations: "stat" only describes path. "get" sends it as an archive whose first entry is its base name. "put" unpacks
into path, a directory. "export" sends the root without what is mounted in it. "list" sends the root's names, and
whether each was changed since the agent started (``encode_listed``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from sockerless.wire.agent import ErrorKind

Operation = Literal["stat", "get", "put", "export", "list"]


@dataclass(frozen=True, slots=True)
class FilesRequest:
    """What to do. path: as Docker's client wrote it, from the root; a trailing "/" or "/." means what it points to.

    For "put": keep_kinds refuses to replace a directory by something else and the other way round; owner is the user
    (Docker's forms) that everything shall belong to, "" for what the archive says.
    """

    operation: Operation
    path: str = "/"
    keep_kinds: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class PathStat:
    """What Docker tells of a path. mode: Go's os.FileMode. link_target: a symbolic link's, followed, from the root."""

    name: str
    size_bytes: int
    mode: int
    mtime_ns: int
    link_target: str = ""


@dataclass(frozen=True, slots=True)
class Ok:
    """The operation begins. stat: of the path, for "stat" and "get"."""

    stat: PathStat | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be done. kind: "not_found" when the path does not exist; message: in Docker's words."""

    kind: ErrorKind
    message: str


@dataclass(frozen=True, slots=True)
class Done:
    """All of it is done."""


def encode_request(request: FilesRequest) -> str:
    """The opening frame."""
    return json.dumps(asdict(request), separators=(",", ":"))


def decode_request(text: str | bytes) -> FilesRequest:
    """The request in an opening frame; ValueError when it is none."""
    document = _object(text)
    if document.get("operation") not in get_args(Operation):
        raise ValueError(f"unknown operation {document.get('operation')!r}")
    request = FilesRequest(**{key: document[key] for key in _REQUEST_FIELDS & document.keys()})
    if not isinstance(request.path, str) or "\0" in request.path or not isinstance(request.owner, str):
        raise ValueError("not a path")
    return request


_REQUEST_FIELDS = {field.name for field in fields(FilesRequest)}


def encode(answer: Ok | Refused | Done) -> str:
    """The text frame of one answer."""
    match answer:
        case Ok():
            document: dict[str, Any] = {"ok": {} if answer.stat is None else {"stat": asdict(answer.stat)}}
        case Refused():
            document = {"error": asdict(answer)}
        case _:
            document = {"result": {}}
    return json.dumps(document, separators=(",", ":"))


def decode(text: str | bytes) -> Ok | Refused | Done:
    """The answer in a text frame; ValueError when it is none."""
    match _object(text):
        case {"ok": {"stat": dict(stat)}}:
            return Ok(_path_stat(stat))
        case {"ok": {}}:
            return Ok()
        case {"error": {"kind": str(kind), "message": str(message)}} if kind in get_args(ErrorKind):
            return Refused(kind, message)  # type: ignore[arg-type]  # one of ErrorKind's values
        case {"result": {}}:
            return Done()
    raise ValueError(f"not an answer about files: {text!r}")


@dataclass(frozen=True, slots=True)
class Listed:
    """One name in the root. path: absolute. changed: its contents or attributes, since the agent started; never of a
    place where something is mounted."""

    path: str
    kind: Literal["directory", "mount", "other"]
    changed: bool = False


_LETTERS = {"d": "directory", "m": "mount", "o": "other"}


def encode_listed(listed: Listed) -> bytes:
    """One record of a listing: the kind's letter (upper case: changed), the path, NUL."""
    letter = listed.kind[0]
    return f"{letter.upper() if listed.changed else letter}{listed.path}\0".encode("utf-8", "surrogateescape")


class ListingDecoder:
    """Reads a listing's frames, split anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Listed]:
        """The records completed so far; ValueError for what is none."""
        *records, self._rest = (self._rest + data).split(b"\0")
        for record in records:
            letter, path = record[:1].decode("ascii", "replace"), record[1:].decode("utf-8", "surrogateescape")
            if letter.lower() not in _LETTERS:
                raise ValueError(f"not a listing's record: {record[:80]!r}")
            yield Listed(path, _LETTERS[letter.lower()], letter.isupper())  # type: ignore[arg-type]  # one of kind's


def _path_stat(document: dict[str, Any]) -> PathStat:
    try:
        return PathStat(**document)
    except TypeError as error:
        raise ValueError(f"not a path's description: {error}") from error


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except UnicodeDecodeError as error:
        raise ValueError(f"not text: {error}") from error
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    return document
