"""How far terraform is: a bar on a terminal, a line a resource elsewhere.

Owns: the words and the seconds. Knows no process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from sockerless.kit.events import Event, Finished, Interrupting, Started
from sockerless.kit.terraform import Listener

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_DONE = {"create": "created", "update": "changed", "delete": "destroyed"}
_DOING = {"create": "creating", "update": "changing", "delete": "destroying"}


@contextmanager
def shown(steps: int, label: str, stream: TextIO) -> Iterator[Listener]:
    """A listener for terraform.apply() that shows on stream how many of steps are done, with seconds per resource."""
    seconds = _Stopwatch()
    if stream.isatty():
        with _bar(steps, label, stream) as bar:
            yield lambda event: _advance(bar, seconds, event)
    else:
        yield lambda event: _tell(stream, seconds, event)


def _bar(steps: int, label: str, stream: TextIO) -> ProgressBar[str]:
    return click.progressbar(length=steps, label=label, file=stream, item_show_func=_item)


class _Stopwatch:
    """Seconds from a resource's start to its end; terraform tells whole ones only."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}

    def start(self, address: str) -> None:
        self._started[address] = time.monotonic()

    def stop(self, address: str) -> float:
        return time.monotonic() - self._started.pop(address, time.monotonic())


def _tell(stream: TextIO, seconds: _Stopwatch, event: Event) -> None:
    match event:
        case Started(address, _):
            seconds.start(address)
        case Finished(address, action):
            click.echo(f"{_DONE.get(action, action)} {address} ({seconds.stop(address):.1f} s)", file=stream)
        case Interrupting():
            click.echo(_INTERRUPTING, file=stream)


def _advance(bar: ProgressBar[str], seconds: _Stopwatch, event: Event) -> None:
    match event:
        case Started(address, action):
            seconds.start(address)
            bar.update(0, f"{_DOING.get(action, action)} {address}")
        case Finished(address, action):
            bar.update(1, f"{_DONE.get(action, action)} {address} ({seconds.stop(address):.1f} s)")
        case Interrupting():
            bar.update(0, _INTERRUPTING)


def _item(item: str | None) -> str:
    return item or ""


_INTERRUPTING = "stopping: terraform finishes what it has begun, so that nothing is lost"
