"""Progress: a line a resource in a file, a bar on a terminal."""

from __future__ import annotations

import io

from sockerless.kit import progress
from sockerless.kit.events import Diagnostic, Finished, Interrupting, Started, Waiting

HISTORY = (
    Started("module.vpc.aws_vpc.this", "create", 100.0),
    Started("module.vpc.aws_eip.nat", "create", 100.5),
    Finished("module.vpc.aws_eip.nat", "create", 100.75),
    Waiting("module.vpc.aws_vpc.this", "create", 10.0),
    Finished("module.vpc.aws_vpc.this", "create", 112.25),
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, *events: object) -> str:
    with progress.shown(2, "applying", stream) as listener:
        for event in events:
            listener(event)  # type: ignore[arg-type]
    return stream.getvalue()


def test_elsewhere_each_resource_is_a_line_with_its_seconds() -> None:
    assert told(io.StringIO(), *HISTORY).splitlines() == [
        "created module.vpc.aws_eip.nat (0.2 s)",
        "still creating module.vpc.aws_vpc.this (10 s)",
        "created module.vpc.aws_vpc.this (12.2 s)",
    ]


def test_on_a_terminal_a_bar_ends_at_all_of_it() -> None:
    shown = told(Terminal(), *HISTORY)
    assert "applying" in shown
    assert "creating module.vpc.aws_vpc.this" in shown
    assert "created module.vpc.aws_vpc.this (12.2 s)" in shown
    assert "100%" in shown.splitlines()[-1]


def test_an_interruption_says_that_terraform_finishes_what_it_began() -> None:
    assert "finishes what it has begun" in told(io.StringIO(), Interrupting())


def test_diagnostics_are_not_progress() -> None:
    assert told(io.StringIO(), Diagnostic("error", "no", "", "", "")) == ""
