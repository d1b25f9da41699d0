"""What each column of ps shows of one process. Pure: the moment and the machine are handed in.

Source: ps(1) of procps 4.0, its formats compared with dockerd's answers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sockerless.agent.processes import Process

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_DAY_S = 86400
_PTS_MAJOR, _TTY_MAJOR = 136, 4


@dataclass(frozen=True, slots=True)
class Machine:
    """What is the same for every process. Times in seconds; users and groups: names by id, in the container's files."""

    now_s: float
    uptime_s: float
    memory_bytes: int
    users: Mapping[int, str]
    groups: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """One process with what /proc says beside its stat. ids: real and effective; locked: whether it locks memory."""

    process: Process
    machine: Machine
    arguments: str
    wchan: str
    uids: tuple[int, int]
    gids: tuple[int, int]
    locked: bool

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time used."""
        return (self.process.utime + self.process.stime) / TICKS

    @property
    def elapsed_s(self) -> float:
        """Seconds since its start."""
        return max(self.machine.uptime_s - self.process.start / TICKS, 0.0)

    @property
    def usage(self) -> float:
        """Processor time over elapsed time."""
        return self.cpu_s / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def memory_percent(self) -> float:
        """Resident memory, as percentage of the machine's."""
        return self.process.rss * PAGE_BYTES * 100 / self.machine.memory_bytes if self.machine.memory_bytes else 0.0


def clock(seconds: float) -> str:
    """[DD-]HH:MM:SS."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{f'{days}-' if days else ''}{hour:02d}:{minute:02d}:{second:02d}"


def elapsed(seconds: float) -> str:
    """[[DD-]HH:]MM:SS."""
    return clock(seconds).removeprefix("00:") if seconds < _DAY_S else clock(seconds)


def tty_name(number: int) -> str:
    """The terminal of a device number; "?" for none."""
    major, minor = (number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)
    if _PTS_MAJOR <= major < _PTS_MAJOR + 8:
        return f"pts/{minor + (major - _PTS_MAJOR) * 256}"
    return f"tty{minor}" if major == _TTY_MAJOR else "?"


def _state(shown: Shown) -> str:
    process = shown.process
    flags = (
        (process.nice < 0, "<"),
        (process.nice > 0, "N"),
        (shown.locked, "L"),
        (process.session == process.pid, "s"),
        (process.threads > 1, "l"),
        (process.pgrp == process.tpgid, "+"),
    )
    return process.state + "".join(flag for applies, flag in flags if applies)


def _percent(share: float) -> str:
    return f"{share * 100:.1f}"


def _started(shown: Shown, today: str, this_year: str, earlier: str) -> str:
    """The start's moment in one of three forms, by how long ago it was."""
    now_s = shown.machine.now_s
    start_s = now_s - shown.elapsed_s
    start = time.localtime(start_s)
    if now_s - start_s < _DAY_S:
        return time.strftime(today, start)
    return time.strftime(this_year if start.tm_year == time.localtime(now_s).tm_year else earlier, start)


def _name(names: Mapping[int, str], number: int) -> str:
    return names.get(number, str(number))


Value = Callable[[Shown], str]


def _values() -> dict[str, Value]:
    by_name: dict[str, Value] = {
        "pid tgid": lambda s: str(s.process.pid),
        "ppid": lambda s: str(s.process.ppid),
        "pgid pgrp": lambda s: str(s.process.pgrp),
        "sid sess session": lambda s: str(s.process.session),
        "tpgid": lambda s: str(s.process.tpgid),
        "uid euid": lambda s: str(s.uids[1]),
        "ruid": lambda s: str(s.uids[0]),
        "gid egid": lambda s: str(s.gids[1]),
        "rgid": lambda s: str(s.gids[0]),
        "user uname euser": lambda s: _name(s.machine.users, s.uids[1]),
        "ruser": lambda s: _name(s.machine.users, s.uids[0]),
        "group egroup": lambda s: _name(s.machine.groups, s.gids[1]),
        "rgroup": lambda s: _name(s.machine.groups, s.gids[0]),
        "comm ucmd": lambda s: s.process.comm + (" <defunct>" if s.process.state == "Z" else ""),
        "fname": lambda s: s.process.comm[:8],
        "args cmd command": lambda s: s.arguments,
        "%cpu pcpu": lambda s: _percent(s.usage),
        "c": lambda s: str(min(int(s.usage * 100), 99)),
        "cp": lambda s: str(min(int(s.usage * 1000), 999)),
        "%mem pmem": lambda s: f"{s.memory_percent:.1f}",
        "rss rssize": lambda s: str(s.process.rss * PAGE_BYTES // 1024),
        "vsz vsize": lambda s: str(s.process.vsize // 1024),
        "sz": lambda s: str(s.process.vsize // PAGE_BYTES),
        "tt tty tname": lambda s: tty_name(s.process.tty),
        "s state": lambda s: s.process.state,
        "stat": _state,
        "start": lambda s: _started(s, "%H:%M:%S", "%b %d", "%b %d"),
        "stime": lambda s: _started(s, "%H:%M", "%b%d", "%Y"),
        "bsdstart": lambda s: _started(s, "%H:%M", "%b%d", "%b%d"),
        "time cputime": lambda s: clock(s.cpu_s),
        "bsdtime": lambda s: f"{int(s.cpu_s) // 60}:{int(s.cpu_s) % 60:02d}",
        "etime": lambda s: elapsed(s.elapsed_s),
        "etimes": lambda s: str(int(s.elapsed_s)),
        "ni nice": lambda s: str(s.process.nice),
        "pri": lambda s: str(39 - s.process.priority),
        "opri": lambda s: str(60 + s.process.priority),
        "priority": lambda s: str(s.process.priority),
        "nlwp thcount": lambda s: str(s.process.threads),
        "psr": lambda s: str(s.process.processor),
        "f flags": lambda s: f"{s.process.flags >> 6 & 7:x}",
        "addr": lambda s: "-",
        "wchan": lambda s: s.wchan if s.wchan not in {"", "0"} else "-",
    }
    return {name: value for names, value in by_name.items() for name in names.split()}


VALUES = _values()
"""Every value by each of its names."""
