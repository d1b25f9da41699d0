"""EXEC of wire/agent.py: one more process in the container, on a stream of its own.

Daemon to agent: the opening text frame (``Exec``); then binary frames are stdin, the text frame STDIN_EOF is its end,
and DISCARD says that nobody reads the output any more. Agent to daemon: a text frame ``Started`` or ``Refused``, after
a refusal closed with 1000; binary frames, the very bytes for the Docker client; the text frame ``Ended``, closed with
1000 after it. When the connection breaks, the process goes on with its output discarded. Its size is set, and what
became of it is asked, on the control connection, by the id that the daemon gave it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, get_args

from sockerless.wire.agent import ErrorKind, Process, process_from

DISCARD = '{"discard":true}'


@dataclass(frozen=True, slots=True)
class Exec:
    """What to run. id: unique in this container. process: as for the main one, without hosts and linger_s.

    stdout, stderr: whether the output is wanted; with a terminal all of it is stdout. raw: bytes as they are, not in
    stdcopy frames (Docker's client decides this, whatever the process has).
    """

    id: str
    process: Process
    stdout: bool = False
    stderr: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """The program runs."""

    pid: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It does not: kind as in wire/agent.py, message in Docker's words."""

    kind: ErrorKind
    message: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The process ended. code: 0..255, 128+n for signal n."""

    code: int


def encode_exec(exec_: Exec) -> str:
    """The opening frame."""
    return json.dumps(asdict(exec_), separators=(",", ":"))


def decode_exec(text: str | bytes) -> Exec:
    """The Exec in an opening frame; ValueError when it is none."""
    document = _object(text)
    try:
        process = process_from(document["process"])
        flags = {name: bool(document.get(name)) for name in ("stdout", "stderr", "raw")}
        return Exec(str(document["id"]), process, **flags)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an exec: {error}") from error


def encode(answer: Started | Refused | Ended) -> str:
    """The text frame of one answer."""
    name = {Started: "ok", Refused: "error", Ended: "result"}[type(answer)]
    return json.dumps({name: asdict(answer)}, separators=(",", ":"))


def decode(text: str | bytes) -> Started | Refused | Ended:
    """The answer in a text frame; ValueError when it is none."""
    match _object(text):
        case {"ok": {"pid": int(pid)}}:
            return Started(pid)
        case {"error": {"kind": str(kind), "message": str(message)}} if kind in get_args(ErrorKind):
            return Refused(kind, message)  # type: ignore[arg-type]  # one of ErrorKind's values
        case {"result": {"code": int(code)}}:
            return Ended(code)
    raise ValueError(f"not an answer to an exec: {text!r}")


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    return document
