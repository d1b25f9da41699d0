"""Brings terraform's state to where sockerless.toml wants it: the bucket made on request, the state moved when asked.

Owns: the questions before either, and what `terraform init` is told of the backend. Knows no template.
Laws: nothing is made or moved without a yes; a state is never moved over another one, nor between AWS and the simulated
AWS; credentials of another account than the state's own are refused before anything is made with them.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sockerless.aws import s3, sts
from sockerless.errors import Conflict, NotFound, NotSupported
from sockerless.kit import account, provider, say, state, terraform
from sockerless.kit.project import Project
from sockerless.kit.state import StateObject
from sockerless.kit.terraform import Backend

LEAST_VERSION = (1, 10)
"""The first Terraform whose backend s3 locks by an object (use_lockfile)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the state is, what it says, and where it is to be (None: the local file); whether the bucket is there."""

    current: StateObject | None
    document: dict[str, Any]
    wanted: StateObject | None
    bucket_there: bool

    @property
    def moves(self) -> bool:
        """Whether a state that tells of something is elsewhere than it is to be."""
        return self.current != self.wanted and state.holds_resources(self.document)


def look(project: Project) -> Standing:
    """How the state stands.

    NotSupported when terraform is too old for S3, Conflict when the credentials are another account's than the state's.
    """
    if project.state == "s3" and (version := terraform.version()) < LEAST_VERSION:
        found, least = ".".join(map(str, version)), ".".join(map(str, LEAST_VERSION))
        raise NotSupported(f'state = "s3" needs terraform {least} or newer for its lock; this is {found}')
    current, wanted = state.current(project), state.wanted(project)
    _refuse_other_account(project, current, wanted)
    document = {} if current == wanted else _read(project, current)
    there = wanted is None or asyncio.run(_bucket_there(project, wanted))
    return Standing(current, document, wanted, there)


def check(project: Project) -> Backend:
    """What `terraform init` is to be told.

    NotFound when the bucket is not there yet, Conflict when the state is to be moved first.
    """
    standing = look(project)
    if standing.wanted is not None and not standing.bucket_there:
        raise NotFound(
            f"terraform's state is to be kept in the bucket {standing.wanted.bucket}, which does not exist; "
            f"`{project.command('state create-bucket')}` makes it, `{project.command('apply')}` asks whether to"
        )
    if standing.moves:
        raise Conflict(
            f"terraform's state is in {_shown(standing.current)} and sockerless.toml wants it in "
            f"{_shown(standing.wanted)}; `{project.command('state move')}` moves it, `{project.command('apply')}` asks "
            "whether to"
        )
    elsewhere = state.recorded(project) not in {None, standing.wanted}
    return Backend(_given(project, standing.wanted), "reconfigure" if elsewhere else "")


def bring(project: Project, plugin_dir: Path | None, yes: bool) -> bool:
    """Makes the bucket and moves the state, as far as either is to be done; asks before each unless yes.

    Returns whether anything was to be done. click.Abort when the answer is no.
    """
    standing = look(project)
    if standing.wanted is not None and not standing.bucket_there:
        _ask(f"Create the bucket {standing.wanted.bucket} for terraform's state?", yes)
        create_bucket(project, standing.wanted)
    if standing.moves:
        _ask(f"Move terraform's state from {_shown(standing.current)} to {_shown(standing.wanted)}?", yes)
        _move(project, standing, plugin_dir)
    return standing.moves or not standing.bucket_there


def create_bucket(project: Project, wanted: StateObject) -> None:
    """Makes the bucket; one of ours that is there already becomes what it is to be."""
    asyncio.run(_create(project, wanted))
    text = f"created the bucket {wanted.bucket}: versioned, encrypted, private, reached by TLS only"
    say.tell("bucket", text, bucket=wanted.bucket, region=wanted.region)


def _move(project: Project, standing: Standing, plugin_dir: Path | None) -> None:
    there = _read(project, standing.wanted)
    if state.holds_resources(there) and not _replaces(standing.document, there):
        raise Conflict(
            f"{_shown(standing.wanted)} holds a state of other resources than {_shown(standing.current)}; delete the "
            "one that is not this deployment's, then run the same command again"
        )
    terraform.start_log(project)
    source = provider.find(project.directory, plugin_dir)
    terraform.init(project, source.plugin_dir, Backend(_given(project, standing.wanted), "migrate-state"))
    if standing.current is None and not state.local(project):
        state.path_of(project).unlink(missing_ok=True)  # terraform leaves it empty, and a copy in its .backup
    kept = f"{state.STATE_FILE}.backup" if standing.current is None else str(standing.current)
    text = f"moved terraform's state to {_shown(standing.wanted)}; a copy stays in {kept}"
    say.tell("moved", text, before=_shown(standing.current), now=_shown(standing.wanted))


def _replaces(here: dict[str, Any], there: dict[str, Any]) -> bool:
    """Whether what is there is what an earlier move left or began: the same lineage, and not younger."""
    return bool(here.get("lineage") == there.get("lineage") and here.get("serial", 0) >= there.get("serial", 0))


def _read(project: Project, where: StateObject | None) -> dict[str, Any]:
    return state.local(project) if where is None else asyncio.run(state.remote(project, where))


def _given(project: Project, wanted: StateObject | None) -> dict[str, str]:
    """The bucket, where the rendered backend leaves it out."""
    return {"bucket": wanted.bucket} if wanted is not None and not project.state_bucket else {}


def _refuse_other_account(project: Project, current: StateObject | None, wanted: StateObject | None) -> None:
    """The bucket's name says whose it is, unless state_bucket does."""
    if current is None or wanted is None or project.state_bucket:
        return
    ours, theirs = (re.search(r"-(\d{12})-[a-z0-9-]+-terraform$", place.bucket) for place in (current, wanted))
    if ours and theirs and ours[1] != theirs[1]:
        raise Conflict(
            f"these credentials are of the account {theirs[1]} and this deployment's state is in {current}, of the "
            f"account {ours[1]}; use that account's credentials (AWS_PROFILE), or another directory"
        )


def _shown(where: StateObject | None) -> str:
    return str(where) if where is not None else f"the local file {state.STATE_FILE}"


def _ask(question: str, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True)


async def _bucket_there(project: Project, wanted: StateObject) -> bool:
    async with account.opened(account.of(project)) as aws:
        return await s3.bucket_exists(aws, wanted.bucket, (await sts.identity(aws)).account)


async def _create(project: Project, wanted: StateObject) -> None:
    tags = {**dict(project.tags), "sockerless:managed-by": "sockerless-kit", "sockerless:purpose": "terraform-state"}
    async with account.opened(account.of(project)) as aws:
        who = await sts.identity(aws)
        await s3.create_private_bucket(aws, wanted.bucket, who.account, wanted.region, who.arn.split(":")[1], tags)
