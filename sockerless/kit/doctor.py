"""What this machine must have, one finding a requirement: ok, or what is missing and how to fix it.

Owns: the list of requirements and their wording. Changes nothing. Knows no command line.
"""

from __future__ import annotations

import asyncio
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from sockerless.aws import sts
from sockerless.errors import SockerlessError
from sockerless.kit import account, engines, processes, provider, terraform
from sockerless.kit.account import Account
from sockerless.kit.project import Project
from sockerless.kit.settings import BY_NAME, DEFAULT_ENDPOINT_URL

LEAST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One requirement: what it is, whether it is met, what was found, and the fix when it is not met."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    required: bool = True


def examine(project: Project | None, simulator: bool, plugin_dir: Path | None = None) -> list[Finding]:
    """All findings for the project, or for a new one with the defaults; simulator: for the simulated AWS."""
    machine = [
        python(),
        terraform_binary(),
        aws_provider(project.directory if project else Path.cwd(), plugin_dir),
        docker_client(),
    ]
    if simulator:
        return [*machine, engine(), simulator_port(project)]
    return [*machine, region(project), credentials(project)]


def line(finding: Finding) -> str:
    """The finding for people: ok, missing, or optional when it is missing and not required."""
    if finding.ok:
        return f"ok        {finding.name}: {finding.detail}"
    verdict = "missing " if finding.required else "optional"
    return f"{verdict}  {finding.name}: {finding.detail}\n          fix: {finding.fix}"


def python() -> Finding:
    """The interpreter this runs on."""
    found = platform.python_version()
    wanted = ".".join(str(part) for part in LEAST_PYTHON)
    return Finding("Python", sys.version_info >= LEAST_PYTHON, found, f"install Python {wanted} or newer")


def terraform_binary() -> Finding:
    """terraform and its version."""
    try:
        return Finding("terraform", True, ".".join(map(str, terraform.version())))
    except SockerlessError as error:
        return Finding("terraform", False, error.message, "see https://developer.hashicorp.com/terraform/install")


def aws_provider(directory: Path, plugin_dir: Path | None = None) -> Finding:
    """Where terraform, run in the directory, would get the AWS provider from."""
    try:
        return Finding("AWS provider", True, provider.find(directory, plugin_dir).description)
    except SockerlessError as error:
        return Finding("AWS provider", False, "not found", error.message)


def docker_client() -> Finding:
    """The docker command line, for people; SDKs do without it."""
    path = shutil.which("docker")
    fix = "install a docker client (Debian: docker.io), or use an SDK"
    return Finding("docker client", path is not None, path or "not in PATH", fix, required=False)


def engine() -> Finding:
    """The container engine that the simulated AWS runs tasks with."""
    fix = f"start Docker or Podman (its API socket), or name another engine with {engines.ENGINE_VARIABLE}=unix://PATH"
    address = engines.find()
    if address:
        return Finding("container engine", True, address)
    return Finding("container engine", False, f"none answers at {', '.join(engines.usual_addresses())}", fix)


def simulator_port(project: Project | None) -> Finding:
    """Whether the simulated AWS is up or could listen at its address."""
    url = project.endpoint_url if project else DEFAULT_ENDPOINT_URL
    try:
        health = processes.simulator_health(url)
    except SockerlessError as error:
        return Finding("simulator port", False, url, error.message)
    return Finding("simulator port", True, f"{url} ({'free' if health is None else 'a simulator answers'})")


def region(project: Project | None) -> Finding:
    """The region of the deployment."""
    if project is None:
        return Finding("region", True, "chosen by `sockerless-kit init --region`")
    return Finding("region", True, project.region)


def credentials(project: Project | None) -> Finding:
    """Whom AWS takes us for."""
    fix = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use an instance role"
    where = account.of(project) if project else Account(str(BY_NAME["region"].default))
    try:
        identity = asyncio.run(_identity(where))
    except SockerlessError as error:
        return Finding("AWS credentials", False, error.message, fix)
    return Finding("AWS credentials", True, identity.arn)


async def _identity(where: Account) -> sts.Identity:
    async with account.opened(where) as aws:
        return await sts.identity(aws)
