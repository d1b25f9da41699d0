"""Between fork and exec: what the forked child does to become the container's main process, or one beside it.

Owns the order of the steps, which is runc's: session, terminal, signals, privileges, working directory, program.
Runs alone in its process, so it may block. Refusals are told to the parent over a pipe in Docker's own words; after
exec nothing of the agent is left. Sources: runc 1.1 init, and Docker 20.10's answers to `docker run` and
`docker exec`, as recorded.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import stat
import termios
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from sockerless.agent import privileges
from sockerless.agent.users import User
from sockerless.wire.agent import ErrorKind

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START_FAILED = "failed to create shim task: OCI runtime create failed: runc create failed"
EXEC_FAILED = "OCI runtime exec failed: exec failed"
"""How Docker's answer begins when the main process, or one beside it, cannot be started."""
_FAILED_BEFORE_EXEC, _FAILED_EXEC = 125, 1


class StartRefused(Exception):
    """The process cannot be started: kind as in wire/agent.py, message as Docker answers (in the child: its reason)."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the child needs. stdio: descriptors for 0, 1, 2; terminal: they are a pty's slave side.

    failed: START_FAILED or EXEC_FAILED.
    """

    argv: list[str]
    env: dict[str, str]
    user: User
    working_dir: str
    stdio: tuple[int, int, int]
    terminal: bool
    capabilities_drop: Sequence[str]
    no_new_privileges: bool
    failed: str


def become(plan: Plan, report: int) -> NoReturn:
    """Turns the calling process into plan's program; report is closed by exec, or carries the refusal as JSON."""
    try:
        _prepare(plan)
        program = find_program(plan.argv[0], plan.env.get("PATH", DEFAULT_PATH))
    except StartRefused as refused:
        message = f"{plan.failed}: unable to start container process: {refused.message}: unknown"
        os.write(report, json.dumps([refused.kind, message]).encode())
        os._exit(_FAILED_BEFORE_EXEC)
    try:
        os.execve(program, plan.argv, plan.env)  # noqa: S606 - the container's own program
    except OSError as error:
        os.write(2, f"exec {program}: {_reason(error)}\n".encode())
    os._exit(_FAILED_EXEC)


def read_refusal(report: bytes) -> StartRefused | None:
    """What the child reported: a refusal, or None when it became the program."""
    if not report:
        return None
    kind, message = json.loads(report)
    return StartRefused(kind, message)


def _prepare(plan: Plan) -> None:
    try:
        os.setsid()
        for target, source in enumerate(plan.stdio):
            os.dup2(source, target, inheritable=True)
        if plan.terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        _default_signals()
        if plan.capabilities_drop:
            privileges.drop_capabilities(plan.capabilities_drop)
        _enter(plan.working_dir, plan.user)
        if plan.no_new_privileges:
            privileges.forbid_new_privileges()
    except OSError as error:
        raise StartRefused("failed", _reason(error)) from error


def _default_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _enter(directory: str, user: User) -> None:
    """Changes to directory as root or, where root may not (NFS), as the user; then is the user."""
    entered = _change_directory(directory, may_be_refused=True)
    _be(user)
    if not entered:
        _change_directory(directory)


def _change_directory(directory: str, *, may_be_refused: bool = False) -> bool:
    """Whether the process is in directory now; without may_be_refused a lack of permission is a refusal too."""
    try:
        os.chdir(directory)
    except OSError as error:
        if may_be_refused and isinstance(error, PermissionError):
            return False
        kind: ErrorKind = "permission" if isinstance(error, PermissionError) else "not_found"
        reason = f'chdir to cwd ("{directory}") set in config.json failed: {_reason(error)}'
        raise StartRefused(kind, reason) from error
    return True


def _be(user: User) -> None:
    """Takes on user's ids. What is so already is not set again: that would need capabilities the task may lack."""
    groups = [user.gid, *user.groups]
    if set(os.getgroups()) != set(groups):
        os.setgroups(groups)
    if os.getresgid() != (user.gid,) * 3:
        os.setresgid(user.gid, user.gid, user.gid)
    if os.getresuid() != (user.uid,) * 3:
        os.setresuid(user.uid, user.uid, user.uid)


def find_program(name: str, search_path: str) -> str:
    """The path to execute for name. StartRefused with runc's words when there is none or it may not be executed."""
    if "/" in name:
        try:
            executable = _is_executable(name)
        except OSError as error:
            kind: ErrorKind = "permission" if error.errno == errno.EACCES else "not_found"
            raise StartRefused(kind, _exec_reason(name, f"stat {name}: {_reason(error)}")) from error
        if not executable:
            raise StartRefused("permission", _exec_reason(name, "permission denied"))
        return name
    for directory in search_path.split(":") if name else ():
        candidate = os.path.join(directory or ".", name)
        try:
            if _is_executable(candidate):
                return candidate
        except OSError:
            continue
    raise StartRefused("not_found", _exec_reason(name, "executable file not found in $PATH"))


def _is_executable(path: str) -> bool:
    return not stat.S_ISDIR(os.stat(path).st_mode) and os.access(path, os.X_OK)


def _exec_reason(name: str, reason: str) -> str:
    return f'exec: "{name}": {reason}'


def _reason(error: OSError) -> str:
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
