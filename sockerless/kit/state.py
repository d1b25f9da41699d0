"""Terraform's state: where it is to be, where it is, and what it says.

Owns: the bucket's and the object's name, the local file's, and the reading of both (state format version 4). Runs no
terraform, changes nothing. Law: "could not ask" is never "nothing is provisioned".
Source: Terraform CLI 1.10 to 1.11, backends local and s3, .terraform/terraform.tfstate (format version 3).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sockerless.aws import s3, sts
from sockerless.errors import DataLoss, NotFound
from sockerless.kit import account
from sockerless.kit.project import Project

STATE_FILE = "terraform.tfstate"
BACKEND_FILE = ".terraform/terraform.tfstate"
"""Where `terraform init` remembers the backend it was run for."""
_LONGEST_BUCKET = 63


@dataclass(frozen=True, slots=True)
class StateObject:
    """A state in S3. endpoint_url: the simulated AWS's, "" for AWS itself."""

    bucket: str
    key: str
    region: str
    endpoint_url: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def bucket_of(project: Project, account_id: str) -> str:
    """state_bucket, or NAME-ACCOUNT-REGION-terraform with the name cut where that is longer than S3 allows."""
    if project.state_bucket:
        return project.state_bucket
    rest = f"-{account_id}-{project.region}-terraform"
    return project.name[: _LONGEST_BUCKET - len(rest)].rstrip("-") + rest


def wanted(project: Project) -> StateObject | None:
    """Where sockerless.toml wants the state; None for the local file. Asks AWS for the account when it must."""
    if project.state == "local":
        return None
    bucket = project.state_bucket or bucket_of(project, asyncio.run(_account(project)))
    return StateObject(bucket, project.state_key, project.region, account.of(project).endpoint_url)


def recorded(project: Project) -> StateObject | None:
    """The S3 object that terraform was last initialised for; None when it was not, or for the local file."""
    try:
        backend = json.loads((project.directory / BACKEND_FILE).read_text())["backend"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    if backend.get("type") != "s3":
        return None
    config = backend["config"]
    return StateObject(
        config["bucket"], config["key"], config["region"], (config.get("endpoints") or {}).get("s3") or ""
    )


def current(project: Project) -> StateObject | None:
    """Where the state is now, None for the local file: a setting that was edited does not move it by itself."""
    known = recorded(project)
    if known is not None and known.endpoint_url == account.of(project).endpoint_url:
        return known
    return None if local(project) else wanted(project)


def read(project: Project) -> dict[str, Any]:
    """What terraform knows of this deployment; {} when nothing was ever applied. DataLoss when it is damaged."""
    where = current(project)
    return local(project) if where is None else asyncio.run(remote(project, where))


def local(project: Project) -> dict[str, Any]:
    """The local file's content; {} when there is none, or terraform has emptied it on moving the state away."""
    path = project.directory / STATE_FILE
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    return _parsed(text, str(path), f"{path}.backup") if text else {}


async def remote(project: Project, where: StateObject) -> dict[str, Any]:
    """The object's content; {} when there is none."""
    async with account.opened(account.of(project)) as aws:
        try:
            content = await s3.read_object(aws, where.bucket, where.key)
        except NotFound:
            return {}
    return _parsed(content.decode(errors="replace"), str(where), "an older version of the object")


def path_of(project: Project) -> Path:
    """The local file."""
    return project.directory / STATE_FILE


def holds_resources(document: dict[str, Any]) -> bool:
    """Whether anything that terraform manages stands."""
    return any(resource.get("mode") == "managed" for resource in document.get("resources", []))


def _parsed(text: str, where: str, copy: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DataLoss(f"terraform's state in {where} is damaged ({error}); restore it from {copy}") from None
    if not isinstance(document, dict):
        raise DataLoss(f"terraform's state in {where} is no state; restore it from {copy}")
    return document


async def _account(project: Project) -> str:
    async with account.opened(account.of(project)) as aws:
        return (await sts.identity(aws)).account
