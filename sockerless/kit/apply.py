"""From a plan to a deployment that the daemon can serve: terraform's apply, the agent in EFS, daemon.env.

Owns: the order of these and what apply says and asks on the way. Knows no command line.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click

from sockerless.errors import DeadlineExceeded
from sockerless.kit import (
    adopt,
    agent_install,
    backend,
    background,
    daemon_env,
    estimate,
    in_use,
    network,
    outputs,
    plan,
    progress,
    say,
    state,
    terraform,
)
from sockerless.kit.outputs import Deployment
from sockerless.kit.plan import Plan
from sockerless.kit.project import SETTINGS_FILE, Project

EARLIER_TIMEOUT_S = 1800.0
"""How long a terraform that outlived its kit is waited for: an apply with a NAT gateway takes five minutes."""


def build(project: Project, plugin_dir: Path | None, yes: bool, everything: bool = False) -> Deployment:
    """Shows the plan, asks unless yes, applies that very plan, installs the agent and writes daemon.env.

    click.Abort when the answer is no. Safe to run again at any time: what stands is not made twice. everything: takes
    in whatever has this deployment's name.
    """
    planned = show_plan(project, plugin_dir, yes=yes, everything=everything)
    adopt.refuse_taken_names(project, planned)
    in_use.refuse(project, planned)
    if planned.changes and not yes:
        click.confirm("Apply this plan?", abort=True)
    with adopt.marked(project, planned):
        apply_plan(project, planned, "applying")
    deployment = load(project)
    say.tell("agent", "bringing the agent to its access point")
    installed = agent_install.install(deployment)
    if installed.architecture != project.architecture:
        told = _other_architecture(project, installed.architecture)
        say.tell("architecture", told, err=True, agent=installed.architecture, preferred=project.architecture)
    written = daemon_env.write(deployment, installed.version, installed.architecture)
    say.tell("wrote", f"wrote {_shown(written)}", file=written)
    say.tell("outputs", outputs=deployment.outputs)
    return deployment


def show_plan(
    project: Project, plugin_dir: Path | None, destroy: bool = False, yes: bool | None = None, everything: bool = False
) -> Plan:
    """Renders what sockerless.toml asks for, checks its network, plans it, prints the table and what it costs.

    yes: whether the state's bucket may be made, the state be moved, and what a broken-off apply left be taken in,
    without a question; None: not at all. everything: as adopt.take_in() means it.
    """
    rendering, started = plan.prepare(project)
    for name in rendering.written:
        say.tell("rendered", f"rendered {name}", file=name)
    for name, diff in rendering.kept:
        kept = f"kept your edit of {name} (`sockerless-kit init --force` would undo it)"
        say.tell("kept", kept, err=True, file=name, diff=diff)
    if started:
        say.tell("simulator", f"started the simulated AWS at {project.endpoint_url}", endpoint_url=project.endpoint_url)
    _await_earlier(project)
    for warning in () if destroy else network.examine(project):
        say.tell("warning", f"warning: {warning}", err=True, warning=warning)
    if yes is not None:
        adopt.mend(project)
        backend.bring(project, plugin_dir, yes)
    planned = _plan(project, plugin_dir, destroy, yes, everything)
    if plan.makes_network(planned) and (warning := network.warn_of_overlap(project)):
        say.tell("warning", f"warning: {warning}", err=True, warning=warning)
    say.tell("plan", plan.table(planned), changes=planned.changes, outputs=planned.outputs)
    costs = estimate.of_plan(project, planned.document)
    told = [*estimate.lines(costs), estimate.change_line(costs)]
    say.tell("estimate", "\n".join(told), **dataclasses.asdict(costs))
    return planned


def _plan(project: Project, plugin_dir: Path | None, destroy: bool, yes: bool | None, everything: bool) -> Plan:
    """The plan, after what a broken-off apply left was taken in."""
    say.tell("planning", f"planning {project.name} ({project.target}, {project.region})", name=project.name)
    broken_off = adopt.broken_off(project) is not None
    if yes is None and broken_off:
        hint = f"an apply was broken off here; `{project.command('apply')}` looks for what it made and could not note"
        say.tell("broken_off", hint, err=True)
    if yes is None or not (broken_off or everything):
        return plan.make(project, plugin_dir, destroy)
    planned = adopt.take_in(project, plugin_dir, plan.make(project, plugin_dir), yes, everything)
    return plan.make(project, plugin_dir, destroy) if destroy else planned


def apply_plan(project: Project, planned: Plan, label: str) -> None:
    """Applies the plan with progress on standard output; one that changes nothing, outputs included, is dropped."""
    if not planned.changes and not planned.outputs:
        planned.path.unlink()
        return
    with progress.shown(planned.steps, label, sys.stdout) as listener:
        terraform.apply(project, planned.path, listener)


def load(project: Project) -> Deployment:
    """The deployment that stands, from terraform's state; NotFound when nothing is applied."""
    return Deployment(project.directory, project, outputs.parse(state.read(project).get("outputs", {}), project))


def _await_earlier(project: Project) -> None:
    """Waits for a terraform that outlived its kit; DeadlineExceeded when it goes on and on."""
    process = terraform.earlier(project)
    if process is None:
        return
    text = f"terraform (process {process.pid}) still finishes an earlier command here: waiting for it"
    say.tell("waiting", text, pid=process.pid)
    if not background.wait(process, EARLIER_TIMEOUT_S):
        raise DeadlineExceeded(
            f"terraform (process {process.pid}) still works here after {EARLIER_TIMEOUT_S / 60:g} minutes; see "
            f"{terraform.log_path(project)}.1 for what it does, and run the same command again when it has ended"
        )


def _other_architecture(project: Project, built_for: str) -> str:
    return (
        f"the agent was built for {built_for}, as this machine is, and images for both platforms run on "
        f"{project.architecture}: their containers are refused until apply runs on a machine of that architecture, or "
        f'architecture = "{built_for}" stands in {SETTINGS_FILE}'
    )


def _shown(path: Path) -> str:
    """The path relative to where we are, when it is below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
