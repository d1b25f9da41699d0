"""Background processes of one deployment: the daemon and the simulator that `up --detach` leaves running.

Owns: DIR/.sockerless/NAME.pid and NAME.log, both mode 0600. A pid file names a process by its number, its start time
and the boot it belongs to, so a stale file never makes us end a stranger. Knows nothing of Docker or AWS.
Source: proc(5) (field 22 of /proc/PID/stat), pidfd_open(2).
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sockerless.errors import Conflict, DeadlineExceeded, SystemFailure

STATE_FOLDER = ".sockerless"
"""The folder inside a deployment's directory that holds everything the kit keeps for it."""
STOP_TIMEOUT_S = 60.0
"""Time between TERM and KILL: the simulator removes its containers in it."""
_PROBE_INTERVAL_S = 0.05
_TAIL_LINES = 20
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one background process leaves its traces: name is "daemon" or "simulator", directory DIR/.sockerless."""

    name: str
    directory: Path

    @property
    def pid_path(self) -> Path:
        """The file that says which process it is."""
        return self.directory / f"{self.name}.pid"

    @property
    def log_path(self) -> Path:
        """Where its standard output and standard error go."""
        return self.directory / f"{self.name}.log"


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for all time: numbers are reused, but not with the same start time in the same boot."""

    pid: int
    started_ticks: int
    boot_id: str

    def document(self) -> dict[str, object]:
        """As a JSON object, which alive() takes."""
        return {"pid": self.pid, "started": self.started_ticks, "boot": self.boot_id}


def start(place: Place, argv: Sequence[str], environment: dict[str, str]) -> Identity:
    """Starts argv in a session of its own, its output in the log file; Conflict when place's process runs already."""
    running = find(place)
    if running is not None:
        raise Conflict(f"the {place.name} already runs as process {running.pid}; `sockerless-kit down` ends it")
    place.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.log_path.exists():
        place.log_path.rename(place.log_path.with_suffix(".log.1"))
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(place.log_path), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawn(argv[0], list(argv), environment, file_actions=files, setsid=True)
    return leave_pid(place, pid)


def leave_pid(place: Place, pid: int) -> Identity:
    """Writes the pid file for a process of this number that runs now."""
    started = identity(pid)
    write_private(place.pid_path, json.dumps(started.document()))
    return started


def start_and_wait(
    place: Place,
    argv: Sequence[str],
    environment: dict[str, str],
    ready: Callable[[], bool],
    timeout_s: float,
) -> Identity:
    """start(), then waits until ready() is true.

    SystemFailure with the log's last lines when the process ends before, DeadlineExceeded when timeout_s pass.
    Whatever goes wrong, Ctrl-C included, the process is not left behind.
    """
    started = start(place, argv, environment)
    deadline = time.monotonic() + timeout_s
    try:
        while not ready():
            if _wait_ended(started, _PROBE_INTERVAL_S):
                raise SystemFailure(f"the {place.name} ended while it started:\n{log_tail(place)}")
            if time.monotonic() > deadline:
                raise DeadlineExceeded(f"the {place.name} was not ready within {timeout_s:g} s:\n{log_tail(place)}")
    except BaseException:
        stop(place)
        raise
    return started


def identity(pid: int) -> Identity:
    """The process that has this number now."""
    return Identity(pid, _started_ticks(pid) or 0, _boot_id())


def find(place: Place) -> Identity | None:
    """The process that the pid file names, if it still runs; a stale or damaged file counts as none."""
    try:
        return alive(json.loads(place.pid_path.read_text()))
    except (FileNotFoundError, ValueError):
        return None


def alive(document: Any) -> Identity | None:
    """The process of Identity.document(), if it still runs; anything else counts as none."""
    try:
        told = Identity(int(document["pid"]), int(document["started"]), str(document["boot"]))
    except (ValueError, KeyError, TypeError):
        return None
    return told if _is_alive(told) else None


def stop(place: Place, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """Ends place's process (TERM, timeout_s, KILL) and removes its pid file; False when none ran."""
    found = find(place)
    if found is not None:
        _end(found, timeout_s)
    place.pid_path.unlink(missing_ok=True)
    return found is not None


def wait(process: Identity, timeout_s: float) -> bool:
    """Whether the process has ended within timeout_s."""
    return _wait_ended(process, timeout_s)


def log_tail(place: Place, lines: int = _TAIL_LINES) -> str:
    """The log's last lines, each indented by two blanks; a sentence when there is none."""
    try:
        text = place.log_path.read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        text = []
    return "\n".join(f"  {line}" for line in text) or f"  (it wrote nothing to {place.log_path})"


def kit_argv(*arguments: str) -> list[str]:
    """The command line of a sockerless-kit command run by this very interpreter."""
    return [sys.executable, "-m", "sockerless.kit", *arguments]


def _end(process: Identity, timeout_s: float) -> None:
    for number, patience_s in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, timeout_s)):
        if _signal(process, number) and not _wait_ended(process, patience_s):
            continue
        return
    raise DeadlineExceeded(f"process {process.pid} did not end within {timeout_s:g} s of being killed")


def _signal(process: Identity, number: signal.Signals) -> bool:
    """Sends the signal to this very process; False when it is gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not _is_alive(process):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def _wait_ended(process: Identity, timeout_s: float) -> bool:
    """Whether the process ended within timeout_s; it is reaped when it is a child of ours."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if _is_alive(process) and not poll.poll(timeout_s * 1000):
            return False
    finally:
        os.close(descriptor)
    _reap(process.pid)
    return True


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # somebody else's child: its parent reaps it


def _is_alive(process: Identity) -> bool:
    return process.boot_id == _boot_id() and process.started_ticks == _started_ticks(process.pid)


def _started_ticks(pid: int) -> int | None:
    """Start time in clock ticks since boot; None when there is no such process or it has ended (a zombie)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *rest = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return None if state in "ZX" else int(rest[18])


def _boot_id() -> str:
    return _BOOT_ID.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Replaces the file in one step, mode 0600 from its first byte; its folder is made, mode 0700, when missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.rename(path)
