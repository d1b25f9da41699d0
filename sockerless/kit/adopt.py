"""An apply that was broken off (kill -9, power): what it made and could not tell the state is found and taken in.

Owns: DIR/.sockerless/applying.json, which stands from before terraform's apply until its end and says what carried the
deployment's name before; and the import of what came since. Asks before it takes anything in.
Laws: only what appeared since this directory's own apply began is taken for this deployment's, unless the user says
that everything of this name is; an import that would create or delete anything is not done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from sockerless.aws import ec2_tagged
from sockerless.errors import Conflict, DataLoss
from sockerless.kit import account, background, orphans, plan, render, say, state, terraform
from sockerless.kit.orphans import Orphan
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project

MARKER_FILE = "applying.json"
IMPORTS_FILE = "adopted.tf"
_ROUNDS = 6
"""What stands in a parent is found once the parent is known: a network is four levels deep."""
_HARMLESS = ({"no-op"}, {"update"}, {"read"})


@contextmanager
def marked(project: Project, planned: Plan) -> Iterator[None]:
    """While terraform applies the plan: leaves word of what carried the name before. A kill leaves the word behind."""
    if planned.changes:
        before = broken_off(project)
        stood = orphans.carrying_the_name(project) if before is None else before
        background.write_private(_marker(project), json.dumps({"stood": sorted(stood)}) + "\n")
    try:
        yield
    except terraform.Killed:
        raise
    except BaseException:
        _forget(project)  # terraform ended by itself, so its state knows what it made
        raise
    _forget(project)


def broken_off(project: Project) -> frozenset[str] | None:
    """The ids that carried the deployment's name before an apply that was broken off; None when none was."""
    try:
        return frozenset(json.loads(_marker(project).read_text())["stood"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return frozenset()


def refuse_taken_names(project: Project, planned: Plan) -> None:
    """Conflict when the plan would create what is there already under its name."""
    taken = orphans.named(project, planned.document)
    if not taken:
        return
    more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
    raise Conflict(
        f"{taken[0].address} cannot be created: {taken[0].id} exists already{more} and is not in terraform's state; "
        f"choose another name in {project.settings_path}, or, if an apply that was broken off elsewhere made it, take "
        f"it in by `{project.command('apply --adopt')}`"
    )


def take_in(project: Project, plugin_dir: Path | None, planned: Plan, yes: bool, everything: bool) -> Plan:
    """Imports what an apply that was broken off left unknown; the plan that remains. click.Abort when the answer is no.

    everything: the user says that whatever has this deployment's name is this deployment's.
    """
    not_ours = frozenset[str]() if everything else broken_off(project)
    if not_ours is None:
        return planned
    for _ in range(_ROUNDS):
        found = orphans.find(project, planned.document, not_ours)
        if not found:
            break
        _agree(found, yes)
        _import(project, found)
        planned = plan.make(project, plugin_dir)
    return planned


def mend(project: Project) -> None:
    """Puts a local state aside that terraform was killed over while it wrote; what it told is found again by tags.

    Terraform empties the file and then writes it; its copy is of the time before its apply. Import blocks that a killed
    kit left go first: they would be asked for in every plan.
    """
    (project.directory / IMPORTS_FILE).unlink(missing_ok=True)
    path = state.path_of(project)
    if broken_off(project) is None or not path.exists() or _whole(project):
        return
    path.rename(path.with_suffix(".tfstate.damaged"))
    copy = path.with_suffix(".tfstate.backup")
    if copy.exists():
        render.replace_file(path, copy.read_text(), 0o644)
    before = "going on from the copy before it" if copy.exists() else "going on from none"
    say.tell("mended", f"{path} was half written when terraform was killed: {before}", file=path)


def _whole(project: Project) -> bool:
    try:
        return bool(state.local(project))
    except DataLoss:
        return False


def _agree(found: list[Orphan], yes: bool) -> None:
    text = "\n".join(
        ["an apply was broken off here; it made these and could not note them:"]
        + [f"  {one.address} = {one.id}" for one in found]
    )
    say.tell("orphans", text, orphans=found)
    if not yes:
        click.confirm("Take them into terraform's state?", abort=True)


def _import(project: Project, found: list[Orphan]) -> None:
    """By import blocks for these addresses alone."""
    asyncio.run(_finish_groups(project, found))
    path = project.directory / IMPORTS_FILE
    path.write_text("".join(f'import {{\n  to = {one.address}\n  id = "{one.id}"\n}}\n' for one in found))
    try:
        planned = terraform.plan(project, lambda _: None, targets=[one.address for one in found])
        _check(terraform.show(project, planned))
        terraform.apply(project, planned)
    finally:
        path.unlink()
    say.tell("adopted", f"took {len(found)} resources into terraform's state", count=len(found))


async def _finish_groups(project: Project, found: list[Orphan]) -> None:
    """What terraform does after it made a security group: takes the rule away that EC2 gives each."""
    groups = [one.id for one in found if one.kind == "aws_security_group"]
    async with account.opened(account.of(project)) as aws:
        for group in groups:
            await ec2_tagged.close_security_group(aws, group, untagged_only=True)


def _check(document: Mapping[str, Any]) -> None:
    for one in document.get("resource_changes", []):
        if set(one["change"]["actions"]) not in _HARMLESS:
            raise Conflict(
                f"{one['address']} would be made anew on the way ({', '.join(one['change']['actions'])}), so nothing "
                "was taken into terraform's state; import by hand what stands (`terraform import`), or delete it"
            )


def _forget(project: Project) -> None:
    _marker(project).unlink(missing_ok=True)


def _marker(project: Project) -> Path:
    return project.state_directory / MARKER_FILE
