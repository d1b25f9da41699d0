"""What this machine must have, one finding a requirement: ok, or what is missing and how to fix it.

Owns: the list of requirements and the wording of those of the machine; those of the account are in doctor_account.py.
Changes nothing. Knows no command line.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from sockerless.errors import SockerlessError
from sockerless.kit import account, doctor_account, engines, probe, processes, provider, serving, terraform
from sockerless.kit.account import Account
from sockerless.kit.finding import Finding
from sockerless.kit.project import Project
from sockerless.kit.settings import BY_NAME, DEFAULT_ENDPOINT_URL

LEAST_PYTHON = (3, 11)
_TIMEOUT_S = 10.0


def examine(project: Project | None, simulator: bool, plugin_dir: Path | None = None) -> list[Finding]:
    """All findings for the project, or for a new one with the defaults; simulator: for the simulated AWS."""
    directory = project.directory if project else Path.cwd()
    machine = [python(), terraform_binary(), aws_provider(directory, plugin_dir), docker_client()]
    machine += [daemon_address(directory, host) for host in serving.hosts(directory)]
    if not simulator:
        region = project.region if project else str(BY_NAME["region"].default)
        return [*machine, *doctor_account.examine(Account(region), project)]
    machine += [engine(), simulator_port(project)]
    if project is None or not project.simulator or not _simulator_answers(project):
        return machine
    return [*machine, *doctor_account.examine(account.of(project), project)]


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
    fix = "install a docker client (Debian: docker.io), or use an SDK"
    path = shutil.which("docker")
    if path is None:
        return Finding("docker client", False, "not in PATH", fix, required=False)
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    told = (done.stdout or done.stderr).strip()
    return Finding("docker client", done.returncode == 0, f"{path} ({told})", fix, required=False)


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


def daemon_address(directory: Path, host: str) -> Finding:
    """Whether the daemon serves at the address, or could."""
    try:
        serving.check_host(host)
        answer = probe.get(host, "/_ping")
    except SockerlessError as error:
        return Finding("daemon address", False, host, error.message)
    if answer is None:
        return Finding("daemon address", True, f"{host} (free)")
    running = serving.process(directory)
    if running is not None:
        return Finding("daemon address", True, f"{host} (process {running.pid} serves this deployment)")
    fix = "end what listens there, or serve elsewhere: `sockerless-kit serve --host ADDRESS`"
    return Finding("daemon address", False, f"{host} is taken by something that is not this deployment's daemon", fix)


def _simulator_answers(project: Project) -> bool:
    try:
        return processes.simulator_health(project.endpoint_url) is not None
    except SockerlessError:
        return False  # simulator_port() says so
