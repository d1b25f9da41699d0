"""Takes a deployment down: its daemon, its tasks, what was made at run time, and then what terraform built.

Owns: what destroy refuses and names before it asks, the order, and what is said of what is kept. Each step can be done
again. Laws: nothing is touched before the answer is yes; what is protected is never touched; the end is proven, not
believed. Knows no command line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sockerless.errors import Conflict
from sockerless.kit import (
    apply,
    background,
    daemon_env,
    processes,
    proof,
    runtime_resources,
    say,
    serving,
    state,
    task_ends,
)
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project
from sockerless.kit.proof import Proof

_DATA = {
    "aws_efs_file_system": "the agent and every Docker volume",
    "aws_ecr_repository": "images",
    "aws_cloudwatch_log_group": "the containers' output",
    "aws_kms_key": "the key without which none of it can be read",
}
"""Terraform's resource types that hold what nothing makes again, and what it is."""
MARKER_FILE = "destroying.json"
PATIENCE_S = proof.PATIENCE_S
_MOST_NAMED = 5


def run(project: Project, plugin_dir: Path | None, yes: bool) -> None:
    """Shows what goes, asks unless yes, takes it down and proves that nothing is left.

    click.Abort when the answer is no. Conflict for a deployment that is protected, for a daemon in the foreground, and
    for what is left in the end.
    """
    if project.simulator:
        processes.ensure_simulator(project)
    refuse_protected(project, state.read(project))
    _refuse_foreground(project)
    planned = apply.show_plan(project, plugin_dir, destroy=True, yes=yes)
    before = state.read(project)  # with what a broken-off apply had left
    if planned.changes:
        for address, what in holding_data(planned):
            say.tell("holds_data", f"  holds data: {address} ({what})", address=address, what=what)
        if not yes:
            click.confirm("Stop all tasks and destroy all of this?", abort=True)
        background.write_private(_marker(project), json.dumps({"name": _name(project, before)}) + "\n")
        _end_what_runs(project, before)
    apply.apply_plan(project, planned, "destroying")
    daemon_env.path_of(project).unlink(missing_ok=True)  # it names what is gone
    if _marker(project).exists():
        _prove(project, before)
        _marker(project).unlink()


def refuse_protected(project: Project, document: dict[str, Any]) -> None:
    """Conflict when deletion_protection is on and anything that holds data stands; how the protection ends."""
    held = [f"{address} ({id_})" for address, kind, id_ in _standing(document) if kind in _DATA]
    if project.deletion_protection and held:
        raise Conflict(
            f"deletion_protection = true in {project.settings_path} protects {', '.join(held)}; to lift it, set it to "
            f"false there, run `{project.command('apply')}`, then `{project.command('destroy')}` again"
        )


def holding_data(planned: Plan) -> list[tuple[str, str]]:
    """The address of each resource whose data goes with it, and what the data is."""
    kinds = ((change.address, change.address.rpartition(".")[0].rpartition(".")[2]) for change in planned.changes)
    return [(address, _DATA[kind]) for address, kind in kinds if kind in _DATA]


def _refuse_foreground(project: Project) -> None:
    """A daemon that somebody else holds would start more tasks while these are stopped."""
    process = serving.process(project.directory)
    if process is not None and process != background.find(processes.daemon_place(project.directory)):
        raise Conflict(
            f"process {process.pid} serves this deployment in the foreground; end it (Ctrl-C, or its service), then "
            "run the same command again"
        )


def _end_what_runs(project: Project, document: dict[str, Any]) -> None:
    """The daemon first: it would give containers with a restart policy new tasks."""
    if background.stop(processes.daemon_place(project.directory)):
        say.tell("ended", "ended the daemon", process="daemon", ran=True)
    name = _name(project, document)
    ended = task_ends.end(project, name)
    text = f"stopped {_counted(ended.tasks, 'task')}, {_counted(ended.interfaces, 'network interface')} gone"
    say.tell("stopped", text, tasks=ended.tasks, interfaces=ended.interfaces)
    removed = runtime_resources.remove(project, name, _file_system(document))
    told = ", ".join(f"{count} {kind}" for kind, count in removed.counts.items())
    say.tell("removed", f"removed what was made at run time: {told}", counts=removed.counts)


def _prove(project: Project, document: dict[str, Any]) -> None:
    found = proof.look(project, _name(project, document), proof.arns_of(document), PATIENCE_S)
    kept = _kept(project, found)
    if found.left:
        named = ", ".join(found.left[:_MOST_NAMED])
        more = f" and {len(found.left) - _MOST_NAMED} more" if len(found.left) > _MOST_NAMED else ""
        say.tell("left", left=found.left, unsure=found.unsure, kept=kept)
        raise Conflict(
            f"{_counted(len(found.left), 'resource')} with this deployment's name still stand: {named}{more}; run the "
            "same command again, or delete by hand what is not terraform's"
        )
    text = f"nothing is left: {_counted(found.asked, 'resource')} asked for one by one, by tag and by name"
    say.tell("proof", text, asked=found.asked, left=found.left, unsure=found.unsure, kept=kept)
    for arn in found.unsure:
        say.tell("unsure", f"  not confirmed: {arn} is tagged, and the kit knows no way to ask for it", arn=arn)
    for what, why in kept.items():
        say.tell("kept", f"  kept: {what}: {why}", what=what, why=why)


def _kept(project: Project, found: Proof) -> dict[str, str]:
    """What remains on purpose, each with the reason."""
    kept = dict(found.kept)
    where = state.current(project)
    if where is not None:
        kept[str(where)] = "terraform's state, with its old versions; the bucket may hold others'"
    if project.efs_backups and found.asked and not project.simulator:
        kept["AWS Backup, vault aws/efs/automatic-backup-vault"] = "its copies of the file system, for 35 days"
    return kept


def _standing(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The address, type and id of each resource in terraform's state."""
    return [
        (".".join(filter(None, (resource.get("module"), resource["type"], resource["name"]))), resource["type"], id_)
        for resource in document.get("resources", [])
        if resource["mode"] == "managed"
        for id_ in (str(instance["attributes"].get("id", "")) for instance in resource["instances"])
    ]


def _file_system(document: dict[str, Any]) -> str:
    return next((id_ for _, kind, id_ in _standing(document) if kind == "aws_efs_file_system"), "")


def _name(project: Project, document: dict[str, Any]) -> str:
    """What the deployment is called in AWS, whatever sockerless.toml says by now; a broken-off destroy remembers it."""
    built = document.get("outputs", {}).get("cluster_name", {}).get("value")
    try:
        return str(built or json.loads(_marker(project).read_text())["name"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return project.name


def _marker(project: Project) -> Path:
    """Stands from before the first resource goes until the proof that all are gone."""
    return project.state_directory / MARKER_FILE


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
