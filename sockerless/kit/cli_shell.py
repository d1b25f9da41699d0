"""The commands for a person's shell: completion.

Owns: their options and help. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from sockerless.errors import NotSupported

PROGRAM = "sockerless-kit"
_VARIABLE = "_SOCKERLESS_KIT_COMPLETE"
"""What Click reads to know that a shell asks: the program's name in capitals."""


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    group.add_command(completion_command)


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete the commands and options of sockerless-kit.

    \b
    Example: source <(sockerless-kit completion bash)
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise NotSupported(f"the installed Click knows no completion for {shell}")
    click.echo(kind(context.find_root().command, {}, PROGRAM, _VARIABLE).source())
