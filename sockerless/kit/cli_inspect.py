"""The commands that look and change nothing: status, environments, doctor, cost, drift.

Owns: their options and help. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

from pathlib import Path

import click

from sockerless.kit import cost, doctor, drift, finding, overview, project, say, status
from sockerless.kit.cli_options import (
    directory_option,
    document_option,
    env_option,
    optional_project,
    plugin_dir_option,
)


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    for command in (status_command, environments_command, doctor_command, cost_command, drift_command):
        group.add_command(command)


@click.command("status")
@directory_option
@env_option
@document_option
def status_command(directory: Path, env: str) -> None:
    """Show what is provisioned, whether the daemon is up and what runs.

    \b
    Example: sockerless-kit status --json
    """
    found = status.gather(project.load(directory, env))
    if say.machines():
        say.document(found)
        return
    for line in status.lines(found):
        click.echo(line)


@click.command("environments")
@directory_option
@document_option
def environments_command(directory: Path) -> None:
    """List the deployments of sockerless.toml: its keys at the top alone, and each named environment.

    \b
    Example: sockerless-kit environments --json
    """
    found = overview.gather(directory)
    if say.machines():
        say.document({"environments": found})
        return
    for line in overview.table(found):
        click.echo(line)


@click.command("doctor")
@directory_option
@env_option
@plugin_dir_option
@click.option(
    "--simulator/--aws",
    "simulator",
    default=None,
    help="What to check for (default: what DIR/sockerless.toml says; the simulated AWS without one).",
)
@document_option
@click.pass_context
def doctor_command(
    context: click.Context, directory: Path, env: str, plugin_dir: Path | None, simulator: bool | None
) -> None:
    """Check what this machine needs: one line a requirement, with the fix where something is missing.

    Ends with 1 when something required is missing.

    \b
    Example: sockerless-kit doctor --aws
    """
    here = optional_project(directory, env)
    if simulator is None:
        simulator = here.simulator if here else True
    findings = doctor.examine(here, simulator, plugin_dir)
    met = all(one.ok for one in findings if one.required)
    if say.machines():
        say.document({"ok": met, "findings": findings})
    else:
        for one in findings:
            click.echo(finding.line(one))
    context.exit(0 if met else 1)


@click.command("cost")
@directory_option
@env_option
@document_option
def cost_command(directory: Path, env: str) -> None:
    """Show what the deployment costs as it stands and runs now, by AWS's list prices.

    Infrastructure from terraform's state, tasks from ECS; what is paid for by use is named with its price.

    \b
    Example: sockerless-kit cost --json
    """
    found = cost.gather(project.load(directory, env))
    if say.machines():
        say.document(found)
        return
    for line in cost.lines(found):
        click.echo(line)


@click.command("drift")
@directory_option
@env_option
@plugin_dir_option
@document_option
@click.pass_context
def drift_command(context: click.Context, directory: Path, env: str, plugin_dir: Path | None) -> None:
    """Say what was changed outside terraform, attribute by attribute.

    Ends with 3 when something was, with 0 when nothing was.

    \b
    Example: sockerless-kit drift --json
    """
    found = drift.find(project.load(directory, env), plugin_dir)
    if say.machines():
        say.document({"drift": found})
    else:
        for line in drift.lines(found):
            click.echo(line)
    context.exit(drift.EXIT_CODE if found else 0)
