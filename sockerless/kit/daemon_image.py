"""The daemon as a container: its image in the deployment's ECR, and the ECS task definition that runs it there.

Owns the image's tag and the task definition. Assembled in pure Python, as the agent's image is.
Law: the definition holds no secret: daemon.env has none, and what the daemon keeps lies on an EFS access point.
Source: botocore's ECS model (RegisterTaskDefinition).
"""

from __future__ import annotations

import asyncio
import tempfile
from importlib.metadata import version
from pathlib import Path

import aiohttp

from sockerless.aws import ecr
from sockerless.errors import NotFound
from sockerless.kit import account, daemon_bundle, daemon_env, serve
from sockerless.kit.outputs import Deployment
from sockerless.registry import push, reference
from sockerless.registry.assemble import BuiltImage, assemble
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.client import Registry
from sockerless.types import JsonObject

CONTAINER = "daemon"
STATE_DIR = "/state"
PORT = 2375
"""Docker's port for TCP without TLS: on the loopback address of the task, which its containers share."""
_HOST = f"tcp://127.0.0.1:{PORT}"
_OCI_ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}
_STATE_VOLUME = "state"


def image_of(deployment: Deployment) -> str:
    """The reference under which push() leaves the image: "REPOSITORY:daemon-VERSION"."""
    return f"{deployment.outputs.agent_repository_url}:daemon-{version(daemon_bundle.DISTRIBUTION)}"


def push_image(deployment: Deployment) -> str:
    """Assembles the image and pushes it to the deployment's ECR unless its tag is there; its full reference."""
    with tempfile.TemporaryDirectory(prefix="sockerless-daemon-") as scratch:
        files = Path(scratch) / "files"
        architecture = _OCI_ARCHITECTURES[daemon_bundle.collect(files)]
        entrypoint = daemon_bundle.command(["serve", "--host", _HOST])
        prefix, environment = daemon_bundle.PREFIX, daemon_bundle.environment()
        with assemble(files, entrypoint, architecture, prefix, environment) as built:
            asyncio.run(_push(deployment, built))
    return image_of(deployment)


async def _push(deployment: Deployment, built: BuiltImage) -> None:
    target = reference.parse(image_of(deployment))
    async with account.opened(account.of(deployment.project)) as aws, aiohttp.ClientSession() as session:
        granted = await ecr.authorization(aws)
        registry, auth = Registry(session), RegistryAuth(granted.username, granted.password)
        if not await registry.head_manifest(target, auth):
            await push.push(registry, target, built, auth)


def task_definition(deployment: Deployment, role_arn: str, access_point_id: str) -> JsonObject:
    """RegisterTaskDefinition's parameters. role_arn: a role with the daemon's policy; the access point keeps its state.

    NotFound when `apply` has not written daemon.env yet.
    """
    outputs, path = deployment.outputs, daemon_env.path_of(deployment.project)
    if not path.exists():
        raise NotFound(f"{path} is not written yet; run `sockerless-kit apply`")
    variables = serve.parse_env(path.read_text(), str(path)) | {"SOCKERLESS_STATE_DIR": STATE_DIR}
    return {
        "family": f"{outputs.cluster_name}-daemon",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "512",
        "memory": "1024",
        "runtimePlatform": {
            "cpuArchitecture": variables["SOCKERLESS_AGENT_ARCHITECTURE"],
            "operatingSystemFamily": "LINUX",
        },
        "executionRoleArn": outputs.execution_role_arn,
        "taskRoleArn": role_arn,
        "containerDefinitions": [_container(deployment, variables)],
        "volumes": [
            {
                "name": _STATE_VOLUME,
                "efsVolumeConfiguration": {
                    "fileSystemId": outputs.efs_file_system_id,
                    "transitEncryption": "ENABLED",
                    "authorizationConfig": {"accessPointId": access_point_id, "iam": "ENABLED"},
                },
            }
        ],
    }


def _container(deployment: Deployment, variables: dict[str, str]) -> JsonObject:
    outputs = deployment.outputs
    return {
        "name": CONTAINER,
        "image": image_of(deployment),
        "essential": True,
        "environment": [{"name": name, "value": value} for name, value in variables.items() if value],
        "mountPoints": [{"sourceVolume": _STATE_VOLUME, "containerPath": STATE_DIR, "readOnly": False}],
        "stopTimeout": 30,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": outputs.log_group_name,
                "awslogs-region": outputs.region,
                "awslogs-stream-prefix": "sockerless-daemon",
            },
        },
    }
