"""The commands that build: plan, apply, outputs, destroy.

Owns: their options and help. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

from pathlib import Path

import click

from sockerless.kit import apply, daemon_env, destroy, outputs, project, say
from sockerless.kit.cli_options import (
    directory_option,
    document_option,
    env_option,
    events_option,
    plugin_dir_option,
    typed,
    typed_inside,
    yes_option,
)


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    for command in (plan_command, apply_command, outputs_command, destroy_command):
        group.add_command(command)


@click.command("plan")
@directory_option
@env_option
@plugin_dir_option
@events_option
def plan_command(directory: Path, env: str, plugin_dir: Path | None) -> None:
    """Show what apply would add, change and destroy, by module.

    \b
    Example: sockerless-kit plan --dir mydocker
    """
    here = project.load(directory, env)
    planned = apply.show_plan(here, plugin_dir)
    if planned.changes:
        details = typed_inside(here, f"terraform show {planned.path.relative_to(here.directory)}")
        say.tell("details", f"details: {details}", command=details)
        say.next_step(typed(here, "apply"))


@click.command("apply")
@directory_option
@env_option
@plugin_dir_option
@click.option("--adopt", is_flag=True, help="Take in whatever has this deployment's name and tags: it is this one's.")
@yes_option
@events_option
def apply_command(directory: Path, env: str, plugin_dir: Path | None, adopt: bool, yes: bool) -> None:
    """Show the plan, ask, build exactly that, and write the daemon's configuration.

    Safe to interrupt, even to kill, and to run again: what stands is kept, and what an apply that was killed could not
    note is found and taken in. --adopt does so for one that was killed on another machine, or whose state is lost.

    \b
    Example: sockerless-kit apply --yes
    """
    say.require_yes(yes)
    here = project.load(directory, env)
    apply.build(here, plugin_dir, yes, adopt)
    say.next_step(typed(here, "serve"))


@click.command("outputs")
@directory_option
@env_option
@document_option
@click.option("--daemon-env", "as_env", is_flag=True, help="As the daemon's variables, the content of daemon.env.")
def outputs_command(directory: Path, env: str, as_env: bool) -> None:
    """Print what was built: names, ids and ARNs.

    \b
    Example: sockerless-kit outputs --json
    """
    if say.machines() and as_env:
        raise click.UsageError("--json and --daemon-env exclude each other")
    here = project.load(directory, env)
    if as_env:
        click.echo(daemon_env.read(here), nl=False)
        return
    found = apply.load(here).outputs
    if say.machines():
        say.document(found)
        return
    for line in outputs.lines(found):
        click.echo(line)


@click.command("destroy")
@directory_option
@env_option
@plugin_dir_option
@yes_option
@events_option
def destroy_command(directory: Path, env: str, plugin_dir: Path | None, yes: bool) -> None:
    """Stop the deployment's tasks and delete everything that apply built.

    Names what holds data before it asks. sockerless.toml and the terraform files stay.

    \b
    Example: sockerless-kit destroy --dir mydocker
    """
    say.require_yes(yes)
    destroy.run(project.load(directory, env), plugin_dir, yes)
