"""How far terraform is: a bar on a terminal, a line a resource elsewhere, an object a resource for machines.

Owns: the words and the seconds. Knows no process.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from sockerless.kit import say
from sockerless.kit.events import Event, Finished, Interrupting, Started, Waiting
from sockerless.kit.terraform import Listener

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_BAR_WIDTH = 20
_BESIDE_BAR = 30
"""Characters of the label, the counts and the blanks."""
_DONE = {"create": "created", "update": "changed", "delete": "destroyed"}
_DOING = {"create": "creating", "update": "changing", "delete": "destroying"}


@contextmanager
def shown(steps: int, label: str, stream: TextIO) -> Iterator[Listener]:
    """A listener for terraform.apply() that shows on stream how many of steps are done, with seconds per resource."""
    seconds = _Stopwatch()
    if say.machines():
        yield lambda event: _report(seconds, event)
    elif stream.isatty():
        with _bar(steps, label, stream) as bar:
            yield lambda event: _advance(bar, seconds, event)
    else:
        yield lambda event: _tell(stream, seconds, event)


def _bar(steps: int, label: str, stream: TextIO) -> ProgressBar[str]:
    return click.progressbar(
        length=steps, label=label, file=stream, item_show_func=_item, show_eta=False, show_pos=True, width=_BAR_WIDTH
    )


class _Stopwatch:
    """Seconds from a resource's start to its end."""

    def __init__(self) -> None:
        self._started_s: dict[str, float] = {}

    def start(self, event: Started) -> None:
        self._started_s[event.address] = event.at_s

    def stop(self, event: Finished) -> float:
        """The seconds it took."""
        return event.at_s - self._started_s.pop(event.address, event.at_s)


def _report(seconds: _Stopwatch, event: Event) -> None:
    match event:
        case Started():
            seconds.start(event)
            say.tell("started", address=event.address, action=event.action)
        case Waiting():
            say.tell("waiting", address=event.address, action=event.action, elapsed_s=event.elapsed_s)
        case Finished():
            elapsed_s = round(seconds.stop(event), 1)
            say.tell("finished", address=event.address, action=event.action, elapsed_s=elapsed_s)
        case Interrupting():
            say.tell("interrupting")


def _tell(stream: TextIO, seconds: _Stopwatch, event: Event) -> None:
    match event:
        case Started():
            seconds.start(event)
        case Waiting():
            click.echo(_still(event), file=stream)
        case Finished():
            click.echo(_done(seconds, event), file=stream)
        case Interrupting():
            click.echo(_INTERRUPTING, file=stream)


def _advance(bar: ProgressBar[str], seconds: _Stopwatch, event: Event) -> None:
    match event:
        case Started():
            seconds.start(event)
            _show(bar, f"{_DOING.get(event.action, event.action)} {event.address}")
        case Waiting():
            _show(bar, _still(event))
        case Finished():
            bar.update(1, _done(seconds, event))
        case Interrupting():
            _show(bar, _INTERRUPTING)


def _show(bar: ProgressBar[str], item: str) -> None:
    """Says what goes on without a step; update() draws only when a step is made."""
    bar.current_item = item
    bar.render_progress()


def _done(seconds: _Stopwatch, event: Finished) -> str:
    return f"{_DONE.get(event.action, event.action)} {event.address} ({seconds.stop(event):.1f} s)"


def _still(event: Waiting) -> str:
    return f"still {_DOING.get(event.action, event.action)} {event.address} ({event.elapsed_s:.0f} s)"


def _item(item: str | None) -> str:
    """What fits beside the bar: a longer line would wrap and could not be drawn over."""
    room = shutil.get_terminal_size().columns - _BAR_WIDTH - _BESIDE_BAR
    text = (item or "").replace("module.", "").replace(".aws_", ".")
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


_INTERRUPTING = "stopping: terraform finishes what it has begun, so that nothing is lost"
