"""The docker command line's own memory of where a daemon is: one context for each deployment.

Owns: what the context says, and the only calls of the docker command line that the kit makes. Law: a context that the
kit did not make is never changed. Source: docker 28, `docker context create|update|inspect|rm`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass

from sockerless.errors import Conflict, NotFound, SystemFailure
from sockerless.kit import serving
from sockerless.kit.project import Project

_OURS = "sockerless-kit: "
"""Starts the description of every context that the kit made."""
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Context:
    """A context as it is afterwards: its name, the daemon's address, and whether it is new."""

    name: str
    host: str
    created: bool


def ensure(project: Project, name: str = "") -> Context:
    """Makes or updates the context (named as the deployment unless name says otherwise) for the daemon's first host.

    NotFound without a docker command line, Conflict when a context of that name is somebody else's.
    """
    name = name or project.name
    host = serving.hosts(project.directory)[0]
    known = _ours(name)
    described = f"{_OURS}{project.name} in {project.directory}"
    arguments = ("--description", described, "--docker", f"host={host}")
    _docker("update" if known else "create", *arguments, name)
    return Context(name, host, created=not known)


def remove(project: Project, name: str = "") -> str:
    """Removes the context; its name. NotFound when there is none, Conflict when it is in use or somebody else's."""
    name = name or project.name
    if not _ours(name):
        raise NotFound(f"there is no docker context {name}")
    _docker("rm", name)
    return name


def _ours(name: str) -> bool:
    """Whether there is such a context; Conflict when the kit did not make it."""
    done = _run("inspect", name)
    if done.returncode != 0:
        return False
    description = str(json.loads(done.stdout)[0].get("Metadata", {}).get("Description", ""))
    if not description.startswith(_OURS):
        raise Conflict(f"the docker context {name} is not of the kit's making; choose another with --name")
    return True


def _docker(*arguments: str) -> None:
    done = _run(*arguments)
    if done.returncode == 0:
        return
    reason = done.stderr.strip().replace("\n", " ")
    if "is in use" in reason:
        raise Conflict(f"docker: {reason}; `docker context use default` first")
    raise SystemFailure(f"`docker context {arguments[0]}` failed: {reason}")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("docker") is None:
        raise NotFound(
            "there is no docker command line in PATH; install one (Debian: docker.io), or export "
            "DOCKER_HOST as `sockerless-kit up` prints it"
        )
    return subprocess.run(
        ["docker", "context", *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
