"""Starting a process, the main one or one beside it: what must stand before the fork, the fork, and the parent's side
of its descriptors.

Owns user, environment, working directory, names, pipes and terminal of one start. child.py owns what happens behind
the fork.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sockerless.agent import child, names, privileges
from sockerless.agent.child import Plan, StartRefused
from sockerless.agent.descriptors import read_to_end
from sockerless.agent.reaper import Reaper
from sockerless.agent.users import User, read_user
from sockerless.errors import InvalidParameter
from sockerless.wire import stdcopy
from sockerless.wire.agent import Process

_PASSED_ON = ("AWS_", "ECS_")


@dataclass(frozen=True, slots=True)
class Spawned:
    """A running program: its pid, its code to come, and our ends of its descriptors (stdin: None when it has none)."""

    pid: int
    code: asyncio.Future[int]
    started_at_ns: int
    stdin: int | None
    outputs: dict[int, int]
    terminal: int | None


async def spawn(
    process: Process, reaper: Reaper, own_environment: Mapping[str, str], *, beside: bool = False
) -> Spawned:
    """Runs process. StartRefused when it cannot be, with nothing left behind but a working directory it asked for.

    beside: it is not the main process. Then its working directory must exist, and the container stays as it is. Forks
    before anything else can run.
    """
    user = _checked(process, beside=beside)
    if not beside:
        _make_directory(process.working_dir or "/")
        names.write(process)
    ours, theirs = _terminal(process) if process.tty else _pipes(process)
    plan = Plan(
        argv=process.argv,
        env=_environment(process.env, user, own_environment),
        user=user,
        working_dir=process.working_dir or "/",
        stdio=theirs,
        terminal=process.tty,
        capabilities_drop=process.capabilities_drop,
        no_new_privileges=process.no_new_privileges,
        failed=child.EXEC_FAILED if beside else child.START_FAILED,
    )
    for descriptor in set(theirs):
        _give(descriptor, user)
    pid, report = _fork(plan)
    code = reaper.watch(pid)
    for descriptor in set(theirs):
        os.close(descriptor)
    refusal = child.read_refusal(await read_to_end(report))
    os.close(report)
    if refusal is not None:
        await code
        for descriptor in {fd for fd in ours if fd is not None}:
            os.close(descriptor)
        raise refusal
    return _spawned(pid, code, process, ours)


def resize(terminal: int, height: int, width: int) -> None:
    """Sets a terminal's size in characters."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def _checked(process: Process, *, beside: bool) -> User:
    """Checks what needs no child; who it runs as."""
    _check_strings(process)
    if beside and not (process.working_dir or "/").startswith("/"):
        raise StartRefused("failed", f"{child.EXEC_FAILED}: Cwd must be an absolute path: unknown")
    try:
        privileges.capability_numbers(process.capabilities_drop)
        return read_user(process.user)
    except InvalidParameter as error:
        raise StartRefused("invalid", error.message) from error


def _check_strings(process: Process) -> None:
    """Refuses what no exec could pass on."""
    if not process.argv:
        raise StartRefused("invalid", "no command specified")
    if any("\0" in text for text in (*process.argv, *process.env, *process.env.values(), process.working_dir)):
        raise StartRefused("invalid", "a command, environment variable or directory contains a NUL byte")
    for name in process.env:
        if not name or "=" in name:
            raise StartRefused("invalid", f"invalid environment variable: {name}={process.env[name]}")


def _make_directory(path: str) -> None:
    if not path.startswith("/"):
        message = f"the working directory '{path}' is invalid, it needs to be an absolute path"
        raise StartRefused("invalid", message)
    try:
        os.makedirs(path, mode=0o755, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StartRefused("invalid", f"Cannot mkdir: {path} is not a directory") from error
    except OSError as error:
        raise StartRefused("failed", f"mkdir {path}: {(error.strerror or '').lower()}") from error


def _environment(asked: Mapping[str, str], user: User, own: Mapping[str, str]) -> dict[str, str]:
    passed_on = {name: value for name, value in own.items() if name.startswith(_PASSED_ON)}
    return {**passed_on, "HOME": user.home, **asked}


_Ours = tuple[int | None, int, int]
_Theirs = tuple[int, int, int]


def _pipes(process: Process) -> tuple[_Ours, _Theirs]:
    """Pipes for output, and for input where it was asked for; /dev/null otherwise."""
    stdin, our_stdin = os.pipe() if process.open_stdin else (os.open(os.devnull, os.O_RDONLY), None)
    our_stdout, stdout = os.pipe()
    our_stderr, stderr = os.pipe()
    return (our_stdin, our_stdout, our_stderr), (stdin, stdout, stderr)


def _terminal(process: Process) -> tuple[_Ours, _Theirs]:
    """A pseudo-terminal, of the asked size before anything runs in it."""
    master, slave = os.openpty()
    if process.height and process.width:
        resize(master, process.height, process.width)
    return (master, master, master), (slave, slave, slave)


def _give(descriptor: int, user: User) -> None:
    """Lets user open the descriptor again by its /dev/stdout name, as runc does."""
    if user.uid and not os.path.samestat(os.fstat(descriptor), os.stat(os.devnull)):
        os.fchown(descriptor, user.uid, -1)


def _fork(plan: Plan) -> tuple[int, int]:
    """The child's pid, and the descriptor its refusal can be read from."""
    report, child_report = os.pipe()
    os.set_blocking(report, False)
    pid = os.fork()
    if pid == 0:
        try:
            child.become(plan, child_report)
        finally:
            os._exit(125)
    os.close(child_report)
    return pid, report


def _spawned(pid: int, code: asyncio.Future[int], process: Process, ours: _Ours) -> Spawned:
    stdin, stdout, stderr = ours
    for descriptor in {fd for fd in ours if fd is not None}:
        os.set_blocking(descriptor, False)
    if process.tty:
        keyboard = os.dup(stdout) if process.open_stdin else None
        return Spawned(pid, code, time.time_ns(), keyboard, {os.dup(stdout): stdcopy.STDOUT}, stdout)
    outputs = {stdout: stdcopy.STDOUT, stderr: stdcopy.STDERR}
    return Spawned(pid, code, time.time_ns(), stdin, outputs, None)
