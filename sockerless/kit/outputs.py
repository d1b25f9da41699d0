"""What terraform built, as one typed value: the outputs of the root module.

Owns: the names of the outputs and their check. Knows no terraform process (terraform.py) and no file (daemon_env.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sockerless.errors import NotFound, SystemFailure
from sockerless.kit.project import Project


@dataclass(frozen=True, slots=True)
class Outputs:
    """The root module's outputs, one attribute each, named as terraform names them."""

    region: str
    cluster_name: str
    cluster_arn: str
    vpc_id: str
    zone_names: tuple[str, ...]
    task_subnet_ids: tuple[str, ...]
    public_subnet_ids: tuple[str, ...]
    private_subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    daemon_security_group_ids: tuple[str, ...]
    assign_public_ip: bool
    interface_endpoints: tuple[str, ...]
    execution_role_arn: str
    task_role_arn: str
    agent_installer_role_arn: str
    daemon_policy_arn: str
    daemon_policy: str
    kms_key_arn: str
    log_group_name: str
    efs_file_system_id: str
    agent_access_point_id: str
    images_repository_url: str
    agent_repository_url: str
    repository_prefix: str
    pull_through: Mapping[str, str]
    events_queue_url: str
    failed_starts_queue_url: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that stands: its directory (absolute), its settings and what terraform built."""

    directory: Path
    project: Project
    outputs: Outputs


def parse(document: Mapping[str, Any], project: Project) -> Outputs:
    """Outputs from `terraform output -json`: {name: {"value": ...}}; NotFound when nothing is applied yet."""
    if not document:
        raise NotFound(f"nothing is provisioned here yet; run `{project.command('apply')}`")
    missing = [field.name for field in fields(Outputs) if field.name not in document]
    if missing:
        raise SystemFailure(
            f"terraform's outputs lack {', '.join(missing)}; run `{project.command('apply')}`, and "
            f"`{project.command('init --force')}` before it when outputs.tf was edited"
        )
    values: dict[str, Any] = {field.name: _frozen(document[field.name]["value"]) for field in fields(Outputs)}
    return Outputs(**values)


def lines(outputs: Outputs) -> list[str]:
    """The outputs for people, one a line; the daemon's policy, a document, by the command that prints it."""
    shown = {**asdict(outputs), "daemon_policy": "see `sockerless-kit iam daemon`"}
    return [f"{name} = {_text(value)}" for name, value in shown.items()]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one}" for key, one in value.items())
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
