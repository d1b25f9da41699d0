"""The daemon as a container: its image in the deployment's ECR, and the ECS task definition that runs it there.

Owns the image's tag and the task definition. Assembled in pure Python, as the agent's image is.
Law: the definition holds no secret: daemon.env has none, and what the daemon keeps lies on an EFS access point.
Source: botocore's ECS model (RegisterTaskDefinition).
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from sockerless.kit import account, daemon_bundle, daemon_env, own_images, serve
from sockerless.kit.outputs import Deployment
from sockerless.registry.assemble import BuiltImage, assemble
from sockerless.types import JsonObject

CONTAINER = "daemon"
STATE_DIR = "/state"
PORT = 2375
"""Docker's port for TCP without TLS: on the loopback address of the task, which its containers share."""
USER = "1000:1000"
"""The daemon's user and group, who own its access point: EFS treats root as nobody without ClientRootAccess."""
_HOST = f"tcp://127.0.0.1:{PORT}"
_STATE_VOLUME = "state"


def image_of(deployment: Deployment) -> str:
    """The reference under which push() leaves the image: "REPOSITORY:daemon-VERSION"."""
    return f"{deployment.outputs.agent_repository_url}:daemon-{version(daemon_bundle.DISTRIBUTION)}"


def push_image(deployment: Deployment) -> str:
    """Pushes the image to the deployment's ECR unless its tag is there; its full reference."""
    return asyncio.run(_push(deployment))


async def _push(deployment: Deployment) -> str:
    async with account.opened(account.of(deployment.project)) as aws:
        return await own_images.push_unless_there(aws, image_of(deployment), _assembled)


@contextlib.contextmanager
def _assembled() -> Iterator[BuiltImage]:
    with tempfile.TemporaryDirectory(prefix="sockerless-daemon-") as scratch:
        files = Path(scratch) / "files"
        architecture = own_images.OCI_ARCHITECTURES[daemon_bundle.collect(files)]
        entrypoint = daemon_bundle.command(["serve", "--dir", STATE_DIR, "--host", _HOST])
        prefix, environment = daemon_bundle.PREFIX, daemon_bundle.environment()
        with assemble(files, entrypoint, architecture, prefix, environment) as built:
            yield built


def task_definition(deployment: Deployment, role_arn: str, access_point_id: str) -> JsonObject:
    """RegisterTaskDefinition's parameters. role_arn: a role with the daemon's policy; the access point, USER's, keeps
    its state.

    NotFound when `apply` has not written daemon.env yet.
    """
    outputs, path = deployment.outputs, daemon_env.path_of(deployment.project)
    variables = serve.parse_env(daemon_env.read(deployment.project), str(path)) | {"SOCKERLESS_STATE_DIR": STATE_DIR}
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
        "user": USER,
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
