"""The commands that print IAM policies: iam deployer, iam daemon.

Owns: their options and help. Each calls one function of the kit and prints what it returned, always as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import click

from sockerless.aws import sts
from sockerless.kit import account, apply, iam_deployer, project, render, say
from sockerless.kit.cli_options import directory_option, document_option, env_option
from sockerless.kit.iam_scope import Scope
from sockerless.kit.project import Project


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    group.add_command(iam_group)


@click.group("iam")
def iam_group() -> None:
    """Who may do what: the policies for whoever builds this deployment and for whoever runs its daemon."""


@iam_group.command("deployer")
@directory_option
@env_option
@click.option("--account-id", metavar="ID", help="The AWS account, 12 digits (default: that of your credentials).")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each policy to DIR/NAME.json instead.",
)
@document_option
def deployer_command(directory: Path, env: str, account_id: str | None, output: Path | None) -> None:
    """Print the policies of whoever runs apply, destroy and doctor, by name: all of them are needed.

    They are made from sockerless.toml, so nothing need stand for it; print them again when it changes.

    \b
    Example: sockerless-kit iam deployer --account-id 123456789012 --output policies
    """
    here = project.load(directory, env)
    documents = iam_deployer.policies(Scope(here, _account_id(here, account_id)))
    if output is None:
        say.document(documents)
        return
    output.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        path = output / f"{name}.json"
        render.replace_file(path, json.dumps(document, indent=2) + "\n", 0o644)
        say.tell("wrote", f"wrote {path}", path=path)


@iam_group.command("daemon")
@directory_option
@env_option
@document_option
def daemon_command(directory: Path, env: str) -> None:
    """Print the daemon's policy, as apply made it. Its ARN is the output daemon_policy_arn.

    \b
    Example: sockerless-kit iam daemon > daemon.json
    """
    say.document(json.loads(apply.load(project.load(directory, env)).outputs.daemon_policy))


def _account_id(here: Project, given: str | None) -> str:
    if given is None:
        return asyncio.run(_own_account_id(here))
    if not re.fullmatch(r"\d{12}", given, re.ASCII):
        raise click.BadParameter(f"{given[:40]!r} is not 12 digits", param_hint="--account-id")
    return given


async def _own_account_id(here: Project) -> str:
    async with account.opened(account.of(here)) as aws:
        return (await sts.identity(aws)).account
