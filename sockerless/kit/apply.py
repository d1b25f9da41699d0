"""From a plan to a deployment that the daemon can serve: terraform's apply, the agent in EFS, daemon.env.

Owns: the order of these and what apply says and asks on the way. Knows no command line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sockerless.kit import agent_install, daemon_env, outputs, plan, progress, terraform
from sockerless.kit.outputs import Deployment
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project


def build(project: Project, plugin_dir: Path | None, yes: bool) -> Deployment:
    """Shows the plan, asks unless yes, applies that very plan, installs the agent and writes daemon.env.

    click.Abort when the answer is no. Safe to run again at any time: what stands is not made twice.
    """
    planned = show_plan(project, plugin_dir)
    if planned.changes and not yes:
        click.confirm("Apply this plan?", abort=True)
    apply_plan(project, planned, "applying")
    deployment = load(project)
    click.echo("bringing the agent to its access point")
    installed = agent_install.install(deployment)
    written = daemon_env.write(deployment, installed.version, installed.architecture)
    click.echo(f"wrote {_shown(written)}")
    return deployment


def show_plan(project: Project, plugin_dir: Path | None, destroy: bool = False) -> Plan:
    """Renders what sockerless.toml asks for, plans it and prints the table."""
    rendering, started = plan.prepare(project)
    for name in rendering.written:
        click.echo(f"rendered {name}")
    for name, _ in rendering.kept:
        click.echo(f"kept your edit of {name} (`sockerless-kit init --force` would undo it)", err=True)
    if started:
        click.echo(f"started the simulated AWS at {project.endpoint_url}")
    click.echo("planning")
    planned = plan.make(project, plugin_dir, destroy)
    click.echo(plan.table(planned))
    return planned


def apply_plan(project: Project, planned: Plan, label: str) -> None:
    """Applies the plan with progress on standard output; one that changes nothing, outputs included, is dropped."""
    if not planned.changes and not planned.outputs:
        planned.path.unlink()
        return
    with progress.shown(planned.steps, label, sys.stdout) as listener:
        terraform.apply(project, planned.path, listener)


def load(project: Project) -> Deployment:
    """The deployment that stands, from terraform's state; NotFound when nothing is applied."""
    return Deployment(project.directory, project, outputs.parse(terraform.output(project)))


def _shown(path: Path) -> str:
    """The path relative to where we are, when it is below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
