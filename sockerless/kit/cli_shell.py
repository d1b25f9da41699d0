"""The commands for a person's shell: completion, context.

Owns: their options and help. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from sockerless.errors import NotSupported
from sockerless.kit import docker_context, project, say
from sockerless.kit.cli_options import directory_option, env_option, events_option

PROGRAM = "sockerless-kit"
_VARIABLE = "_SOCKERLESS_KIT_COMPLETE"
"""What Click reads to know that a shell asks: the program's name in capitals."""


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    for command in (completion_command, context_command):
        group.add_command(command)


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


@click.command("context")
@directory_option
@env_option
@click.option("--name", default="", help="The context's name (default: the deployment's).")
@click.option("--rm", "remove", is_flag=True, help="Remove the context.")
@events_option
def context_command(directory: Path, env: str, name: str, remove: bool) -> None:
    """Make a docker context for the deployment's daemon, or bring it in step.

    `docker --context NAME` and `docker context use NAME` lead to the daemon then, without DOCKER_HOST.

    \b
    Example: sockerless-kit context --name fargate
    """
    here = project.load(directory, env)
    if remove:
        gone = docker_context.remove(here, name)
        say.tell("removed", f"removed the docker context {gone}", context=gone)
        return
    made = docker_context.ensure(here, name)
    done = "made" if made.created else "updated"
    say.tell("context", f"{done} the docker context {made.name}: {made.host}", context=made.name, host=made.host)
    if os.environ.get("DOCKER_HOST"):
        say.tell("warning", "DOCKER_HOST is set and wins over every context: unset it", err=True)
    say.next_step(f"docker --context {made.name} ps")
