"""The protocol between daemon and agent, version 1.

One WebSocket per stream, over TLS; every upgrade request carries ``Authorization: Bearer TOKEN`` and is answered
401 before the upgrade without it. Paths:

CONTROL  text frames, one JSON object each. Daemon to agent: a request (``Request``). Agent to daemon: a reply to
         it (``Reply``, same id) or an event (``Hello`` first and once per connection, ``HealthReport`` after every
         probe, ``Exited`` when the process ended; a connection opened after the exit gets the exit inside Hello).
STREAMS  the live streams of the main process, in both directions: wire/agent_output.py. Daemon to agent: binary frames
         are stdin; the text frame STDIN_EOF is its end. Opened before ``start``, it sees output from byte 0. While the
         process takes no stdin the agent reads nothing, not even pings: a client must not wait for pongs here.
EXEC     one more process and its streams: wire/agent_exec.py.
FILES    one operation on the container's files: wire/agent_files.py.
LOGS     the kept output: wire/agent_output.py.
TUNNEL   one TCP connection to a port of the task. May be opened in advance: the daemon's opening text frame
         {"port": number} makes the agent connect; it answers {"ok": {}} or {"error": {"kind", "message"}}. Then
         binary frames are the bytes of both directions; STDIN_EOF ends one direction. Once both have ended, or after
         an error, the daemon may send the next opening frame; a connection that broke off closes the tunnel.

Knows no socket and no JSON library beyond the standard one. A message that does not decode raises ValueError.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from sockerless.wire.agent_health import HealthCheck, HealthReport, report_from

PORT = 9111
"""The agent's TCP port inside the task (forward dialling)."""
MOUNT = "/.sockerless"
"""Where the task definition mounts what the agent needs: AGENT_DIR read-only, STATE_DIR writable."""
AGENT_DIR = MOUNT + "/agent"
AGENT_IMAGE_DIR = "/opt/sockerless-agent"
"""Where the agent's own image holds it, by version: beside what is mounted at AGENT_DIR to be filled."""
STATE_DIR = MOUNT + "/state"

CONTROL = "/v1/control"
STREAMS = "/v1/streams"
LOGS = "/v1/logs"
EXEC = "/v1/exec"
FILES = "/v1/files"
TUNNEL = "/v1/tunnel"
MAX_FRAME_BYTES = 4 * 1024 * 1024
"""Longest frame that the agent takes; longer ones close the connection with 1009."""
STDIN_EOF = '{"eof":true}'

ENV_AGENT_ID = "SOCKERLESS_AGENT_ID"
ENV_TOKEN = "SOCKERLESS_AGENT_TOKEN"  # noqa: S105 - the variable's name
ENV_CERTIFICATE = "SOCKERLESS_AGENT_CERTIFICATE"
ENV_KEY = "SOCKERLESS_AGENT_KEY"
ENV_PATIENCE_S = "SOCKERLESS_AGENT_PATIENCE_S"
"""Seconds the agent waits for its first ``start`` before it gives up with code 125 (default 600)."""

BLANK_VARIABLES = ("LD_PRELOAD", "LD_AUDIT", "GLIBC_TUNABLES")
"""To be set empty in the task: an image's values would reach into the agent's own loader before the agent runs."""


def agent_argv(version: str, arguments: Sequence[str], directory: str = AGENT_DIR) -> list[str]:
    """The command that runs the agent of directory/version in any image: its own loader, libraries and interpreter."""
    root = f"{directory}/{version}"
    loader = [f"{root}/lib/ld.so", "--inhibit-cache", "--library-path", f"{root}/lib"]
    python = [f"{root}/bin/python3", "-I", "-S", "-B", "-X", "utf8", "-m", "sockerless.agent"]
    return [*loader, *python, *arguments]


ErrorKind = Literal["not_found", "permission", "invalid", "conflict", "failed"]
"""not_found: program or working directory missing (127); permission: not executable (126)."""


@dataclass(frozen=True, slots=True)
class Process:
    """The main process, as ``start`` carries it.

    argv: program and arguments, the program looked up in env's PATH. env: the complete container environment
    (the agent adds only AWS_* and ECS_* variables of its own that env lacks). user: Docker's forms (name, uid,
    name:group, uid:gid), resolved in the container's own files. stop_signal: number. hosts: extra /etc/hosts
    lines; hostname: for /etc/hostname; dns, dns_search, dns_options: replace those of /etc/resolv.conf; empty leaves
    the file as it is. capabilities_drop: names without CAP_, or "ALL". linger_s: seconds the agent stays after the
    exit.
    """

    argv: list[str]
    env: dict[str, str]
    user: str = ""
    working_dir: str = "/"
    tty: bool = False
    height: int = 0
    width: int = 0
    open_stdin: bool = False
    stdin_once: bool = False
    stop_signal: int = 15
    capabilities_drop: list[str] = field(default_factory=list)
    no_new_privileges: bool = False
    hosts: list[str] = field(default_factory=list)
    hostname: str = ""
    dns: list[str] = field(default_factory=list)
    dns_search: list[str] = field(default_factory=list)
    dns_options: list[str] = field(default_factory=list)
    linger_s: float = 0.0
    healthcheck: HealthCheck | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One control request.

    op and arguments: "start" {"process": Process}, answered {"pid", "started_at_ns", "run", "position"} (the run's
    number and first byte, as STREAMS takes them) once the program runs or refused with not_found / permission /
    invalid; "signal" {"signal": number} (conflict when nothing runs);
    "resize" {"height", "width"}, with "exec": id for an exec's terminal (conflict when it does not run); "exec_state"
    {"exec": id}, answered {"running", "code"} (null: not known); "pause", "unpause" {} (conflict when there is
    nothing to do); "top" {"ps_args"}, answered {"titles", "processes"}; "stats" {}, answered as agent/stats.py says;
    "finish" {} ends a lingering (or never started) agent, which exits with its process's code. "start" after an exit
    runs the process again in the same task.
    """

    id: int
    op: Literal["start", "signal", "resize", "exec_state", "finish", "pause", "unpause", "top", "stats"]
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the request of the same id: result, or error_kind and message."""

    id: int
    result: dict[str, Any] = field(default_factory=dict)
    error_kind: ErrorKind | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Exited:
    """The main process ended. code: 0..255, 128+n for signal n. last_log_ns: stamp of its last log piece (0: none).

    started_at_ns: which run it was, as the reply to its "start" said; 0: not told, the latest.
    """

    code: int
    oom_killed: bool
    finished_at_ns: int
    last_log_ns: int
    started_at_ns: int = 0


@dataclass(frozen=True, slots=True)
class Hello:
    """First message of a control connection: where the main process stands.

    status: "waiting" (no start yet), "running" (pid set) or "exited" (exited set, lingering). address: the task's own
    IPv4 address, "" unknown. health: where the run's health check stands, None without one.
    """

    agent_version: str
    status: Literal["waiting", "running", "exited"]
    pid: int = 0
    started_at_ns: int = 0
    exited: Exited | None = None
    address: str = ""
    paused: bool = False
    health: HealthReport | None = None


Message = Request | Reply | Exited | Hello | HealthReport
_KINDS: dict[str, type[Any]] = {
    "request": Request,
    "reply": Reply,
    "exited": Exited,
    "hello": Hello,
    "health": HealthReport,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(message: Message) -> str:
    """The text frame of one control message."""
    return json.dumps({"kind": _NAMES[type(message)], **asdict(message)}, separators=(",", ":"))


def decode(text: str | bytes) -> Message:
    """The control message in a text frame; ValueError when it is none. Unknown fields are ignored."""
    try:
        document = json.loads(text)
        kind = _KINDS[document["kind"]]
        arguments = _known(kind, document)
        if kind is Hello and arguments.get("exited") is not None:
            arguments["exited"] = Exited(**_known(Exited, arguments["exited"]))
        if kind is Hello and arguments.get("health") is not None:
            arguments["health"] = report_from(arguments["health"])
        message: Message = report_from(document) if kind is HealthReport else kind(**arguments)
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a control message: {error}") from error
    return message


def _known(kind: type[Any], document: dict[str, Any]) -> dict[str, Any]:
    """The members of a document that kind has: another version's further ones are nothing to this one."""
    names = {f.name for f in fields(kind)}
    return {key: value for key, value in document.items() if key in names}


def process_from(document: dict[str, Any]) -> Process:
    """The Process inside a start request's arguments; ValueError when fields are missing."""
    arguments = _known(Process, document)
    try:
        if arguments.get("healthcheck") is not None:
            arguments["healthcheck"] = HealthCheck(**arguments["healthcheck"])
        return Process(**arguments)
    except TypeError as error:
        raise ValueError(f"not a process: {error}") from error


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Docker's log selection. tail None = all lines; since_ns and until_ns 0 = no bound; follow waits for more."""

    stdout: bool = True
    stderr: bool = True
    since_ns: int = 0
    until_ns: int = 0
    tail: int | None = None
    timestamps: bool = False
    follow: bool = False

    def to_query(self) -> str:
        """The selection as a URL's query."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return urlencode({key: int(value) for key, value in values.items() if value is not None})

    @staticmethod
    def from_query(query: str) -> LogQuery:
        """Reads to_query()'s text; ValueError for anything else."""
        given = {key: int(value) for key, value in parse_qsl(query)}
        return LogQuery(
            stdout=bool(given.get("stdout", 1)),
            stderr=bool(given.get("stderr", 1)),
            since_ns=given.get("since_ns", 0),
            until_ns=given.get("until_ns", 0),
            tail=given.get("tail"),
            timestamps=bool(given.get("timestamps", 0)),
            follow=bool(given.get("follow", 0)),
        )
