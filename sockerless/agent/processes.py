"""The container's processes as the kernel shows them in /proc, without the agent and what stands above it.

Owns the reading of /proc/PID/stat. Source: proc(5), Linux 6.1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple


class Process(NamedTuple):
    """One process. state: the letter of ps; times in clock ticks (start: since boot), vsize in bytes, rss in pages."""

    pid: int
    comm: str
    state: str
    ppid: int
    pgrp: int
    session: int
    tty: int
    tpgid: int
    flags: int
    utime: int
    stime: int
    priority: int
    nice: int
    threads: int
    start: int
    vsize: int
    rss: int
    processor: int


_FIELDS = (2, 3, 4, 5, 6, 7, 8, 13, 14, 17, 18, 19, 21, 22, 23, 38)
"""Where the fields behind comm stand in /proc/PID/stat, counted from pid = 0."""


def parse_stat(text: str) -> Process:
    """The process in the text of a stat file. ValueError, IndexError when it is none."""
    head, _, rest = text.rpartition(")")
    pid, _, comm = head.partition(" (")
    fields = ["", "", *rest.split()]
    state, *numbers = (fields[place] for place in _FIELDS)
    return Process(int(pid), comm, state, *map(int, numbers))


def processes() -> list[Process]:
    """Every process of the container but the agent (and what started it), oldest first."""
    everything = {process.pid: process for process in _all()}
    hidden: set[int] = set()
    pid = os.getpid()
    while pid in everything and pid not in hidden:
        hidden.add(pid)
        pid = everything[pid].ppid
    shown = (process for process in everything.values() if process.pid not in hidden)
    return sorted(shown, key=lambda process: (process.start, process.pid))


def _all() -> Iterator[Process]:
    for name in os.listdir("/proc"):
        if name.isdecimal():
            text = read(f"/proc/{name}/stat")
            if text:
                yield parse_stat(text)


def read(path: str) -> str:
    """A file of /proc, "" once its process is gone."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""
