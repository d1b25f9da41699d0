"""The arguments of ps that Docker's clients give to top: which columns they ask for. Pure.

Every process of the container is listed whatever is selected, as dockerd does; what would sort, draw or leave out
processes is refused rather than ignored. Source: ps(1) of procps 4.0, and dockerd 20.10's answers with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class PsError(Exception):
    """ps would not do this; str() is what dockerd answers then."""


class Column(NamedTuple):
    """One column: the value of ps_columns.py that it shows, and its title."""

    value: str
    title: str


TITLES = {
    "addr": "ADDR", "args": "COMMAND", "bsdstart": "START", "bsdtime": "TIME", "c": "C", "cmd": "CMD",
    "comm": "COMMAND", "command": "COMMAND", "cp": "CP", "%cpu": "%CPU", "cputime": "TIME", "egid": "EGID",
    "egroup": "EGROUP", "etime": "ELAPSED", "etimes": "ELAPSED", "euid": "EUID", "euser": "EUSER", "f": "F",
    "flags": "F", "fname": "COMMAND", "gid": "GID", "group": "GROUP", "%mem": "%MEM", "ni": "NI", "nice": "NI",
    "nlwp": "NLWP", "opri": "PRI", "pcpu": "%CPU", "pgid": "PGID", "pgrp": "PGRP", "pid": "PID", "pmem": "%MEM",
    "ppid": "PPID", "pri": "PRI", "priority": "PRI", "psr": "PSR", "rgid": "RGID", "rgroup": "RGROUP", "rss": "RSS",
    "rssize": "RSS", "ruid": "RUID", "ruser": "RUSER", "s": "S", "sess": "SESS", "session": "SESS", "sid": "SID",
    "start": "STARTED", "stat": "STAT", "state": "S", "stime": "STIME", "sz": "SZ", "tgid": "TGID",
    "thcount": "THCNT", "time": "TIME", "tname": "TTY", "tpgid": "TPGID", "tt": "TT", "tty": "TT", "ucmd": "CMD",
    "uid": "UID", "uname": "USER", "user": "USER", "vsize": "VSZ", "vsz": "VSZ", "wchan": "WCHAN",
}  # fmt: skip
"""Every value that can be asked for, with the title it has by default."""


def _named(text: str) -> tuple[Column, ...]:
    """Columns by name, or by name=TITLE."""
    split = (column.partition("=") for column in text.split())
    return tuple(Column(name, title or TITLES[name]) for name, _, title in split)


SIMPLE = _named("pid tname time comm=CMD")
_DASHED = {
    "f": _named("user=UID pid ppid c stime tname time args=CMD"),
    "F": _named("user=UID pid ppid c sz rss psr stime tname time args=CMD"),
    "l": _named("f s uid pid ppid c opri ni addr sz wchan tname time comm=CMD"),
    "j": _named("pid pgid sid tname time comm=CMD"),
}
BSD_SIMPLE = _named("pid tname stat bsdtime args")
_BARE = {
    "u": _named("user pid %cpu %mem vsz rss tname stat bsdstart bsdtime args"),
    "j": _named("ppid pid pgid sid tname tpgid stat uid bsdtime args"),
    "l": _named("f uid pid ppid priority ni vsz rss wchan stat tname bsdtime args"),
}
_SELECT = {True: frozenset("Aaedw"), False: frozenset("axgw")}
"""Letters, after a dash or without one, that ask for more processes or wider lines: there is all of both."""


def columns(arguments: Sequence[str]) -> tuple[Column, ...]:
    """What ps with these arguments shows. PsError as dockerd reports it, also when the PID is not among it."""
    listed: list[Column] = []
    format_: tuple[Column, ...] | None = None
    rest = iter(arguments)
    for argument in rest:
        found, more = _group(argument, rest)
        listed.extend(more)
        format_ = found or format_
    if listed and format_:
        raise PsError("ps: error: conflicting format options")
    bare = any(not argument.startswith("-") for argument in arguments)
    shown = tuple(listed) or format_ or (BSD_SIMPLE if bare else SIMPLE)
    if all(column.title != "PID" for column in shown):
        raise PsError("Couldn't find PID field in ps output")
    return shown


def _group(argument: str, rest: Iterator[str]) -> tuple[tuple[Column, ...] | None, list[Column]]:
    """One argument's letters: the format they name, and the columns they list (with o, perhaps the next argument's)."""
    dashed = argument.startswith("-")
    formats = _DASHED if dashed else _BARE
    found: tuple[Column, ...] | None = None
    letters = argument.removeprefix("-")
    for place, letter in enumerate(letters):
        if letter == "o":
            return found, _listed(letters[place + 1 :] or next(rest, ""))
        if letter in formats:
            found = formats[letter]
        elif letter not in _SELECT[dashed]:
            option = argument if letter == "-" else f"{'-' * dashed}{letter}"
            raise PsError(f"ps: error: option {option} is not supported for the processes of a task")
    return found, []


def _listed(text: str) -> list[Column]:
    """A user-defined format: names by comma or blank, the last one perhaps with a title of its own."""
    if not text:
        raise PsError("ps: error: format specification must follow -o")
    names, equals, title = text.partition("=")
    found: list[Column] = []
    for name in names.replace(",", " ").split():
        if name not in TITLES:
            raise PsError(f'ps: error: unknown user-defined format specifier "{name}"')
        found.append(Column(name, TITLES[name]))
    return [*found[:-1], Column(found[-1].value, title)] if equals and found else found
