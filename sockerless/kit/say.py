"""What a command says on standard output: lines for people or, with --json, JSON for machines.

Owns: which of the two this invocation speaks, and the shape of the JSON. Knows no command.
Law: with --json standard output holds JSON alone: one object a line where things happen one after another (its type
says what), one indented document where a command answers one question. A failure's last line is of type error.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

_MACHINES = "sockerless.kit.say.machines"


def choose_machines(context: click.Context) -> None:
    """From here on this invocation speaks JSON."""
    context.meta[_MACHINES] = True


def machines() -> bool:
    """Whether this invocation speaks JSON; outside of a command it does not."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_MACHINES))


def tell(kind: str, text: str | None = None, *, err: bool = False, **facts: Any) -> None:
    """Something that happened: text for people (None: nothing; err: on standard error), facts for machines."""
    if machines():
        click.echo(json.dumps({"type": kind, **facts}, default=_plain))
    elif text is not None:
        click.echo(text, err=err)


def next_step(command: str) -> None:
    """What to type next."""
    tell("next", f"next: {command}", command=command)


def document(value: Any) -> None:
    """The whole answer of a command, for machines: a mapping or a dataclass."""
    click.echo(json.dumps(value, default=_plain, indent=2))


def failed(kind: str, message: str) -> None:
    """A failure, for machines: its class in errors.py, or Interrupted; people get the sentence on standard error."""
    tell("error", error=kind, message=message)


def require_yes(yes: bool) -> None:
    """Refuses, before anything is done, a command that would have to ask a machine."""
    if machines() and not yes:
        raise click.UsageError("--json asks nothing: add --yes to agree beforehand")


def _plain(value: Any) -> Any:
    """What json does not know by itself."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
