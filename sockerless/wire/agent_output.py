"""What STREAMS and LOGS of wire/agent.py carry, so that both go on after a break where they were.

Positions are the journal's: bytes since the agent's start. Runs of the main process are counted from 1. Agent to
daemon, in this order:

text     ``Opened``, at once.
binary   a frame of ``framed()``: the position behind what it carries, then for STREAMS the very bytes for the Docker
         client (stdcopy frames, or raw bytes for a terminal), for LOGS chunks (wire/chunks.py).
         One without bytes stands for what was left out, so that the position is known there, too.
text     STREAMS only: ``taken()``, how much of the client's input the agent holds by now; every TAKEN_BYTES or so.
close    1000: that was all. 1001: the agent ends before the run begins. DROPPED: the journal no longer keeps what
         comes next. Anything else is a break: whoever wants the rest opens the path again, with the run of Opened
         and the position of the last frame.

A daemon that closes with 1000 says that its client has gone or sends no more input; with anything else, that it may
come back. Knows no socket. What does not decode raises ValueError.
"""

from __future__ import annotations

import json
import re
import struct
from dataclasses import asdict, dataclass, field, fields
from urllib.parse import parse_qsl, urlencode

from sockerless.wire.agent import LogQuery

NORMAL, GOING_AWAY = 1000, 1001
DROPPED = 4001
TAKEN_BYTES = 256 * 1024
_POSITION = struct.Struct(">QB")
_CLIENT = re.compile(r"[0-9a-f]{0,64}")


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """Which streams an attach wants.

    running: only the run that is on now; without one the stream ends at once, as an attach to an exited container
    does. Otherwise a stream opened between runs waits for the next ``start``.
    client: hex digits that name the client on all its connections; a new one ends the one before. run, position:
    where it goes on; 0 and -1: the run that is on or comes next, from now on.
    """

    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    running: bool = False
    client: str = ""
    run: int = 0
    position: int = -1

    def to_query(self) -> str:
        """The URL query of a STREAMS request."""
        return urlencode({key: value if isinstance(value, str) else int(value) for key, value in asdict(self).items()})

    @staticmethod
    def from_query(query: str) -> StreamQuery:
        """Reads to_query()'s text; ValueError for anything else."""
        given = dict(parse_qsl(query))
        client = given.pop("client", "")
        numbers = {key: int(value) for key, value in given.items()}
        if not _CLIENT.fullmatch(client) or numbers.get("run", 0) < 0:
            raise ValueError("client must be hex digits, and run not negative")
        return StreamQuery(
            stdin=bool(numbers.get("stdin", 0)),
            stdout=bool(numbers.get("stdout", 1)),
            stderr=bool(numbers.get("stderr", 1)),
            running=bool(numbers.get("running", 0)),
            client=client,
            run=numbers.get("run", 0),
            position=numbers.get("position", -1),
        )


@dataclass(frozen=True, slots=True)
class KeptQuery:
    """Which kept output is wanted. Its selection by time is coarse: the daemon still leaves out what is not wanted.

    select: follow ends once the run has ended; without it the output ends at the last kept chunk.
    run: the run to follow, 0: the one that is on, or else the last or first one. position: where to go on (and tail
    counts no more), -1: the oldest kept. end: where to end at the latest, -1: nowhere. left_out: as in the last frame.
    """

    select: LogQuery = field(default_factory=LogQuery)
    run: int = 0
    position: int = -1
    end: int = -1
    left_out: int = 0

    def to_query(self) -> str:
        """The URL query of a LOGS request."""
        numbers = {key: getattr(self, key) for key in _KEPT_NUMBERS}
        return f"{self.select.to_query()}&{urlencode(numbers)}"

    @staticmethod
    def from_query(query: str) -> KeptQuery:
        """Reads to_query()'s text; ValueError for anything else."""
        given = {key: int(value) for key, value in parse_qsl(query)}
        if given.get("run", 0) < 0:
            raise ValueError("run must not be negative")
        return KeptQuery(LogQuery.from_query(query), **{key: given[key] for key in _KEPT_NUMBERS if key in given})


_KEPT_NUMBERS = [f.name for f in fields(KeptQuery) if f.name != "select"]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a connection begins with.

    run: the run it serves, 0: none. position: where it begins, behind the position asked for when the journal no
    longer keeps that; first_ns is the oldest kept stamp then, 0 otherwise. taken: bytes of the client's input that the
    agent holds. lines: how many lines of LOGS with a tail are kept, at most the tail.
    """

    run: int = 0
    position: int = 0
    first_ns: int = 0
    taken: int = 0
    lines: int = 0

    def encode(self) -> str:
        """The text frame."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    def decode(text: str | bytes) -> Opened:
        """Reads encode()'s text; ValueError for anything else. Unknown fields are ignored."""
        return Opened(**_numbers(text, [f.name for f in fields(Opened)]))


def taken(count: int) -> str:
    """The text frame that tells how many bytes of input the agent holds."""
    return json.dumps({"taken": count}, separators=(",", ":"))


def count_taken(text: str | bytes) -> int:
    """Reads taken()'s text; ValueError for anything else."""
    return _numbers(text, ["taken"])["taken"]


def framed(position: int, data: bytes, left_out: int = 0) -> bytes:
    """A binary frame. left_out: the streams (1 stdout, 2 stderr, 3 both) within a line that is not sent."""
    return _POSITION.pack(position, left_out) + data


def unframed(frame: bytes) -> tuple[int, int, bytes]:
    """(position, left_out, data) of a binary frame."""
    if len(frame) < _POSITION.size:
        raise ValueError("a frame without a position")
    position, left_out = _POSITION.unpack_from(frame)
    return position, left_out, frame[_POSITION.size :]


def _numbers(text: str | bytes, names: list[str]) -> dict[str, int]:
    try:
        document = json.loads(text)
        return {name: int(document[name]) for name in names}
    except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a message of an output stream: {error}") from error
