"""Puts the agent where tasks find it: its image into the deployment's ECR, its files onto EFS.

Owns: the agent image's tag (the agent's version), the one-shot task that copies the files, and
DIR/.sockerless/agent.json, which remembers what was installed where. The image is assembled in pure Python, so no
container engine is needed on the user's machine. The same path in the simulated AWS as in the real one.
Law: what is recorded as installed was seen to end with code 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from sockerless.aws import efs
from sockerless.aws.session import Aws
from sockerless.errors import NotFound
from sockerless.kit import account, agent_bundle, agent_task, background, own_images
from sockerless.kit.agent_bundle import Bundle
from sockerless.kit.outputs import Deployment
from sockerless.registry.assemble import BuiltImage, assemble
from sockerless.wire import agent

RECORD_FILE = "agent.json"


@dataclass(frozen=True, slots=True)
class Installed:
    """What lies where: the agent's version, what it was built for, its image's repository, and where its files are."""

    version: str
    architecture: str
    repository_url: str
    file_system_id: str
    access_point_id: str


def install(deployment: Deployment) -> Installed:
    """Brings this kit's agent onto the deployment's EFS, unless it is there.

    SystemFailure with the task's own words when the installer fails, DeadlineExceeded when it does not end.
    """
    with _built() as bundle:
        return asyncio.run(_install(deployment, bundle))


def push_image(deployment: Deployment) -> str:
    """Pushes the agent's image to the deployment's ECR unless its tag is there; its full reference."""
    with _built() as bundle:
        return asyncio.run(_push_only(deployment, bundle))


@contextlib.contextmanager
def _built() -> Iterator[Bundle]:
    with tempfile.TemporaryDirectory(prefix="sockerless-agent-") as scratch:
        yield agent_bundle.build(Path(scratch))


async def _install(deployment: Deployment, bundle: Bundle) -> Installed:
    outputs = deployment.outputs
    wanted = Installed(
        bundle.version,
        bundle.architecture,
        outputs.agent_repository_url,
        outputs.efs_file_system_id,
        outputs.agent_access_point_id,
    )
    async with account.opened(account.of(deployment.project)) as aws:
        if _recorded(deployment.directory) == wanted and await _stands(aws, wanted):
            return wanted
        image = await _push(aws, deployment, bundle)
        await agent_task.run(aws, outputs, image, bundle.architecture)
    _record(deployment.directory, wanted)
    return wanted


async def _push_only(deployment: Deployment, bundle: Bundle) -> str:
    async with account.opened(account.of(deployment.project)) as aws:
        return await _push(aws, deployment, bundle)


async def _push(aws: Aws, deployment: Deployment, bundle: Bundle) -> str:
    """The image's reference, once the repository holds it: "REPOSITORY:VERSION"."""
    image = f"{deployment.outputs.agent_repository_url}:{bundle.version}"
    return await own_images.push_unless_there(aws, image, lambda: assembled(bundle))


def assembled(bundle: Bundle) -> AbstractContextManager[BuiltImage]:
    """The agent's image: the bundle, and the command line of its own copy as the entrypoint."""
    entrypoint = agent.agent_argv(bundle.version, [], agent.AGENT_IMAGE_DIR)
    architecture = own_images.OCI_ARCHITECTURES[bundle.architecture]
    return assemble(bundle.path, entrypoint, architecture, f"{agent.AGENT_IMAGE_DIR}/{bundle.version}")


async def _stands(aws: Aws, installed: Installed) -> bool:
    """Whether the access point is still there, on the file system that was filled."""
    try:
        point = await efs.access_point(aws, installed.access_point_id)
    except NotFound:
        return False
    return bool(point["FileSystemId"] == installed.file_system_id)


def _record_path(directory: Path) -> Path:
    return directory / background.STATE_FOLDER / RECORD_FILE


def _recorded(directory: Path) -> Installed | None:
    """What was installed last; None when nothing was, or the record is damaged."""
    try:
        return Installed(**json.loads(_record_path(directory).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _record(directory: Path, installed: Installed) -> None:
    background.write_private(_record_path(directory), json.dumps(asdict(installed)) + "\n")
