"""Progress: a line a resource in a file, a bar on a terminal."""

from __future__ import annotations

import io
import json

import click
import pytest

from sockerless.kit import progress, say
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


def test_on_a_terminal_a_bar_ends_at_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    shown = told(Terminal(), *HISTORY)
    assert "applying" in shown
    assert "0/2  creating vpc.vpc.this" in shown
    assert "1/2  still creating vpc.vpc.this (10 s)" in shown
    assert "2/2  created vpc.vpc.this (12.2 s)" in shown.splitlines()[-1]


@pytest.mark.parametrize("columns", [20, 60, 80])
def test_the_bar_stays_on_one_line_of_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    long = Started('module.vpc.aws_route_table_association.private["ap-southeast-1a"]', "create", 100.0)
    drawn = told(Terminal(), long).removesuffix("\x1b[?25h\n").split("\r\x1b[?25l")
    assert max(len(line) for line in drawn) <= max(columns, 54)


def test_for_machines_each_event_is_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with click.Context(click.Command("apply")) as context:
        say.choose_machines(context)
        told(Terminal(), *HISTORY, Interrupting())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == ["started", "started", "finished", "waiting", "finished", "interrupting"]
    assert lines[-2] == {
        "type": "finished",
        "address": "module.vpc.aws_vpc.this",
        "action": "create",
        "elapsed_s": 12.2,
    }


def test_an_interruption_says_that_terraform_finishes_what_it_began() -> None:
    assert "finishes what it has begun" in told(io.StringIO(), Interrupting())


def test_diagnostics_are_not_progress() -> None:
    assert told(io.StringIO(), Diagnostic("error", "no", "", "", "")) == ""
